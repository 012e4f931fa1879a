"""The service's messages and stubs, generated from `proto/`: see `proto/generate.sh`."""
