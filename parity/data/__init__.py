"""Two data pipelines side by side: order, samples, transforms, batches."""
