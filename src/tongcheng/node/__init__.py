"""Wires a node: configuration, services, storage, exchange, HTTP."""
