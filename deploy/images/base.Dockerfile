# mpp-base: what every service's image shares. Debian 12's Python 3.11, the locked packages, the generated protos and the
# chassis; no shell, no package manager, no compiler. Build from the repository's root: see deploy/images/README.md.
ARG DEBIAN=debian:12-slim

# Debian, Python, and what Python's standard library loads. Bytecode is made here, since an image's root is read-only where
# it runs; it is not compared with its source again at each start.
FROM ${DEBIAN} AS system
COPY deploy/images/minimal-root /usr/local/bin/minimal-root
RUN minimal-root /root-of-image base-files netbase ca-certificates python3.11 libgcc-s1 libstdc++6 \
 && chroot /root-of-image /usr/bin/python3.11 -m compileall -q --invalidation-mode unchecked-hash /usr/lib/python3.11

# The locked packages, each file checked against its hash. Nothing is built, so no compiler is needed.
FROM ${DEBIAN} AS packages
# hadolint ignore=DL3008
RUN apt-get -qq update \
 && apt-get -qq install --no-install-recommends python3.11 python3.11-venv \
 && rm -rf /var/lib/apt/lists/*
COPY requirements-runtime.lock /
# For a machine with a package index or certificates of its own: --build-arg PIP_INDEX_URL=..., --build-arg PIP_CERT=...
ARG PIP_INDEX_URL
ARG PIP_CERT
RUN python3.11 -m venv /pip \
 && python3.11 -m venv --without-pip /opt/mpp \
 && /pip/bin/pip --python /opt/mpp/bin/python install --quiet --no-cache-dir --no-compile --only-binary :all: --no-deps \
    --require-hashes --requirement /requirements-runtime.lock \
 && find /opt/mpp/bin -type f -delete \
 && python3.11 -m compileall -q --invalidation-mode unchecked-hash /opt/mpp
# Our own: what is generated from the protos, and the chassis.
COPY proto/gen/mpp /own/opt/mpp/lib/python3.11/site-packages/mpp
COPY proto/gen/buf /own/opt/mpp/lib/python3.11/site-packages/buf
COPY chassis/mpp_chassis /own/opt/mpp/lib/python3.11/site-packages/mpp_chassis
COPY deploy/images/healthcheck.py /own/opt/mpp/healthcheck.py
RUN python3.11 -m compileall -q --invalidation-mode unchecked-hash -s /own /own

# Three layers, from what changes seldom to what changes often.
FROM scratch
COPY --from=system /root-of-image/ /
COPY --from=packages /opt/mpp/ /opt/mpp/
COPY --from=packages /own/ /
ARG VERSION=0.2.0
LABEL org.opencontainers.image.title="mpp-base" \
      org.opencontainers.image.description="Python, the locked packages and the chassis of the MPP platform" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
# All interfaces: in a container there is only its own network, and network policy decides who reaches it.
ENV PATH=/opt/mpp/bin \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    LANG=C.UTF-8 \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONSAFEPATH=1 \
    PYTHONWARNINGS=ignore \
    MPP_BIND=0.0.0.0 \
    MPP_GRPC_PORT=50051 \
    MPP_HTTP_PORT=9090
WORKDIR /tmp
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "/opt/mpp/healthcheck.py"]
ENTRYPOINT ["python"]
