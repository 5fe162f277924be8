"""OKX V5 behind the port: REST over python-okx, streams over websockets."""
