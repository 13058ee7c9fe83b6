# onnxruntime lists the kernels of every provider it was built with and does not expect one that is missing. TensorRT is, so its
# factory is a null pointer ($rsi), read from a list ($rax). Take the factory before it, which is CUDA's.
set pagination off
set confirm off
set print thread-events off
run
set $rsi = *(long*)($rax - 16)
signal 0
