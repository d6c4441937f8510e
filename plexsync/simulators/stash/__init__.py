"""A simulated Stash: the real GraphQL schema over tables in memory."""
