"""The gRPC service of transferscore."""
