"""The network's images: IDX files, splits, batches, and pictures converted to 28×28."""
