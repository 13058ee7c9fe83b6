"""What takes most of the time of small models and is the same every time, done once per process."""
import functools
import gc
import typing


def spare_repetitions():
    """
    Make PyTorch decompose programs in a third of the time.

    - The operators of C++ are looked up once. They were looked up again for every namespace in every decomposition.
    - The annotations of `OpOverload.py_impl` are evaluated once. It defines a function in every one of the thousands of calls that a
      decomposition makes; `typing.Callable` caches its parameters, and `collections.abc.Callable` does not.
    - What is imported stays: the collector of garbage went through all of it whenever a decomposition had made enough objects.
    """
    # Not before tests run: the process that hands them out to others needs no PyTorch.
    import torch
    import torch._dynamo
    import torch._inductor
    from torch._export import utils

    utils._materialize_cpp_cia_ops = functools.cache(utils._materialize_cpp_cia_ops)
    torch._ops.Callable = typing.Callable
    gc.collect()
    gc.freeze()
