"""One request and its answer: faults, counters, a loopback server and a socket-free adapter."""
