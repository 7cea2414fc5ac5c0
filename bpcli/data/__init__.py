"""What the network sees: IDX files, splits, batches, and pictures made into 28×28."""
