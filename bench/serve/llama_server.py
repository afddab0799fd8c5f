#!/usr/bin/env python3
"""llama.cpp's own server, as the Python package xllamacpp carries it: llama_server.py MODEL PORT THREADS STREAMS CONTEXT

Takes the place of the program `llama-server`, which no package index has; CONTEXT is of each stream. Says what it is on
standard error, and serves until it is ended.
"""

import signal
import sys

import xllamacpp

model, port, threads, streams, context = sys.argv[1], *map(int, sys.argv[2:])
parameters = xllamacpp.CommonParams()
parameters.model.path = model
parameters.hostnames = ["127.0.0.1"]
parameters.port = port
parameters.n_parallel = streams
parameters.n_ctx = context * streams
parameters.cpuparams.n_threads = threads
parameters.cpuparams_batch.n_threads = threads
server = xllamacpp.Server(parameters)
print(f"xllamacpp {xllamacpp.__version__} at {server.listening_address}", file=sys.stderr, flush=True)
signal.pause()
