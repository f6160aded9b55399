"""Docker's HEALTHCHECK: is the process ready? Exit 0 or 1. (Kubernetes asks by its own probes and never runs this.)"""

import os
import sys
import urllib.error
import urllib.request

url = f"http://127.0.0.1:{os.environ.get('MPP_HTTP_PORT', '9090')}/readyz"
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    sys.exit(direct.open(url, timeout=2).status != 200)
except OSError as problem:  # refused, too slow, or 503
    sys.exit(f"{url}: {problem}")
