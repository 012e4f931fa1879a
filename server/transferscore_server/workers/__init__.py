"""Worker processes, one a device: they hold the models, so that the front need not."""
