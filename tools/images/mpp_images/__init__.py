"""Builds the platform's images without Docker, looks into them, and runs what is in them.

Knows Dockerfiles, buildah and chroot. Knows the services only as folders with a Dockerfile, and never their domain.
"""
