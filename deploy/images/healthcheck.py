"""Docker's HEALTHCHECK: is the process ready? Exit 0 or 1. (Kubernetes asks by its own probes and never runs this.)

    healthcheck.py [PORT PATH]      a service's /readyz by default
"""

import os
import sys
import urllib.request

port, path = sys.argv[1:] or (os.environ.get("MPP_HTTP_PORT", "9090"), "/readyz")
url = f"http://127.0.0.1:{port}{path}"
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    sys.exit(direct.open(url, timeout=2).status != 200)
except OSError as problem:  # refused, too slow, or 503
    sys.exit(f"{url}: {problem}")
