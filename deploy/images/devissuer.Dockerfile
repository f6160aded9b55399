# mpp-devissuer: logins and tokens for development, never for production (it refuses). Used by deploy/compose only.
# Build from the repository's root, after mpp-base: see deploy/images/README.md.
ARG BASE=mpp-base:0.2.0

FROM ${BASE} AS compiled
COPY --chown=10001:10001 tools/devissuer/mpp_devissuer /own/opt/mpp/lib/python3.11/site-packages/mpp_devissuer
RUN ["python", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", "/own", "/own"]

FROM ${BASE}
COPY --from=compiled --chown=0:0 /own/ /
ARG VERSION=0.2.0
LABEL org.opencontainers.image.title="mpp-devissuer" \
      org.opencontainers.image.description="MPP platform: logins and tokens for development" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
EXPOSE 8900
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["python", "/opt/mpp/healthcheck.py", "8900", "/healthz"]
ENTRYPOINT ["python", "-m", "mpp_devissuer", "--port", "8900", "--state", "/tmp/issuer"]
CMD ["--container", "issuer"]
