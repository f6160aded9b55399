"""mppctl: the operator's and developer's command line. Talks gRPC only; knows no service's inside."""
