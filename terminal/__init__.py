"""The till's mind: pure rules of a contactless payment, without I/O, threads, clock or chance."""
