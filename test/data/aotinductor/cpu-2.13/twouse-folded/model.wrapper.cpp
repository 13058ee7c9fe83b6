
#include <torch/csrc/inductor/aoti_include/cpu.h>
AOTInductorModel::AOTInductorModel(std::shared_ptr<ConstantMap> constants_map,
                                   std::shared_ptr<std::vector<ConstantHandle>> constants_array,
                                   const std::string& device_str,
                                   std::optional<std::string> cubin_dir)
    : AOTInductorModelBase(1,
                           1,
                           12,
                           device_str,
                           std::move(cubin_dir),
                           true) {
    inputs_info_[0].name = "arg4_1";
    constants_info_[0].name = "l1_weight";
    constants_info_[0].dtype = cached_torch_dtype_float32;
    constants_info_[0].device_type = cached_torch_device_type_cpu;
    constants_info_[0].offset = 0;
    constants_info_[0].data_size = 3072;
    constants_info_[0].from_folded = false;
    constants_info_[0].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::Parameter);
    constants_info_[0].shape = {48, 16};
    constants_info_[0].stride = {16, 1};
    constants_info_[0].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[0].original_fqn = "l1.weight";
    constants_info_[1].name = "l1_bias";
    constants_info_[1].dtype = cached_torch_dtype_float32;
    constants_info_[1].device_type = cached_torch_device_type_cpu;
    constants_info_[1].offset = 0;
    constants_info_[1].data_size = 192;
    constants_info_[1].from_folded = false;
    constants_info_[1].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::Parameter);
    constants_info_[1].shape = {48};
    constants_info_[1].stride = {1};
    constants_info_[1].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[1].original_fqn = "l1.bias";
    constants_info_[2].name = "l2_weight";
    constants_info_[2].dtype = cached_torch_dtype_float32;
    constants_info_[2].device_type = cached_torch_device_type_cpu;
    constants_info_[2].offset = 0;
    constants_info_[2].data_size = 3072;
    constants_info_[2].from_folded = false;
    constants_info_[2].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::Parameter);
    constants_info_[2].shape = {16, 48};
    constants_info_[2].stride = {48, 1};
    constants_info_[2].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[2].original_fqn = "l2.weight";
    constants_info_[3].name = "l2_bias";
    constants_info_[3].dtype = cached_torch_dtype_float32;
    constants_info_[3].device_type = cached_torch_device_type_cpu;
    constants_info_[3].offset = 0;
    constants_info_[3].data_size = 64;
    constants_info_[3].from_folded = false;
    constants_info_[3].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::Parameter);
    constants_info_[3].shape = {16};
    constants_info_[3].stride = {1};
    constants_info_[3].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[3].original_fqn = "l2.bias";
    constants_info_[4].name = "_FOLDED_CONST_convert_element_type_16";
    constants_info_[4].dtype = cached_torch_dtype_bfloat16;
    constants_info_[4].device_type = cached_torch_device_type_cpu;
    constants_info_[4].offset = 0;
    constants_info_[4].data_size = 64;
    constants_info_[4].from_folded = true;
    constants_info_[4].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::FoldedConstant);
    constants_info_[4].shape = {16};
    constants_info_[4].stride = {1};
    constants_info_[4].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[4].original_fqn = "_FOLDED_CONST_convert_element_type_16";
    constants_info_[5].name = "_FOLDED_CONST_convert_element_type_11";
    constants_info_[5].dtype = cached_torch_dtype_bfloat16;
    constants_info_[5].device_type = cached_torch_device_type_cpu;
    constants_info_[5].offset = 0;
    constants_info_[5].data_size = 128;
    constants_info_[5].from_folded = true;
    constants_info_[5].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::FoldedConstant);
    constants_info_[5].shape = {48};
    constants_info_[5].stride = {1};
    constants_info_[5].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[5].original_fqn = "_FOLDED_CONST_convert_element_type_11";
    constants_info_[6].name = "_FOLDED_CONST_convert_element_type_6";
    constants_info_[6].dtype = cached_torch_dtype_bfloat16;
    constants_info_[6].device_type = cached_torch_device_type_cpu;
    constants_info_[6].offset = 0;
    constants_info_[6].data_size = 64;
    constants_info_[6].from_folded = true;
    constants_info_[6].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::FoldedConstant);
    constants_info_[6].shape = {16};
    constants_info_[6].stride = {1};
    constants_info_[6].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[6].original_fqn = "_FOLDED_CONST_convert_element_type_6";
    constants_info_[7].name = "_FOLDED_CONST_convert_element_type";
    constants_info_[7].dtype = cached_torch_dtype_bfloat16;
    constants_info_[7].device_type = cached_torch_device_type_cpu;
    constants_info_[7].offset = 0;
    constants_info_[7].data_size = 128;
    constants_info_[7].from_folded = true;
    constants_info_[7].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::FoldedConstant);
    constants_info_[7].shape = {48};
    constants_info_[7].stride = {1};
    constants_info_[7].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[7].original_fqn = "_FOLDED_CONST_convert_element_type";
    constants_info_[8].name = "_FOLDED_CONST_permute";
    constants_info_[8].dtype = cached_torch_dtype_bfloat16;
    constants_info_[8].device_type = cached_torch_device_type_cpu;
    constants_info_[8].offset = 0;
    constants_info_[8].data_size = 1536;
    constants_info_[8].from_folded = true;
    constants_info_[8].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::FoldedConstant);
    constants_info_[8].shape = {16, 48};
    constants_info_[8].stride = {1, 16};
    constants_info_[8].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[8].original_fqn = "_FOLDED_CONST_permute";
    constants_info_[9].name = "_FOLDED_CONST_permute_1";
    constants_info_[9].dtype = cached_torch_dtype_bfloat16;
    constants_info_[9].device_type = cached_torch_device_type_cpu;
    constants_info_[9].offset = 0;
    constants_info_[9].data_size = 1536;
    constants_info_[9].from_folded = true;
    constants_info_[9].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::FoldedConstant);
    constants_info_[9].shape = {48, 16};
    constants_info_[9].stride = {1, 48};
    constants_info_[9].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[9].original_fqn = "_FOLDED_CONST_permute_1";
    constants_info_[10].name = "_FOLDED_CONST_permute_2";
    constants_info_[10].dtype = cached_torch_dtype_bfloat16;
    constants_info_[10].device_type = cached_torch_device_type_cpu;
    constants_info_[10].offset = 0;
    constants_info_[10].data_size = 1536;
    constants_info_[10].from_folded = true;
    constants_info_[10].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::FoldedConstant);
    constants_info_[10].shape = {16, 48};
    constants_info_[10].stride = {1, 16};
    constants_info_[10].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[10].original_fqn = "_FOLDED_CONST_permute_2";
    constants_info_[11].name = "_FOLDED_CONST_permute_3";
    constants_info_[11].dtype = cached_torch_dtype_bfloat16;
    constants_info_[11].device_type = cached_torch_device_type_cpu;
    constants_info_[11].offset = 0;
    constants_info_[11].data_size = 1536;
    constants_info_[11].from_folded = true;
    constants_info_[11].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::FoldedConstant);
    constants_info_[11].shape = {48, 16};
    constants_info_[11].stride = {1, 48};
    constants_info_[11].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[11].original_fqn = "_FOLDED_CONST_permute_3";
    update_constants_map(std::move(constants_map));
    update_constants_array(std::move(constants_array));
    in_spec_ = R"([1, {"type": "builtins.tuple", "context": "null", "children_spec": [{"type": "builtins.tuple", "context": "null", "children_spec": [{"type": null, "context": null, "children_spec": []}]}, {"type": "builtins.dict", "context": "[]", "children_spec": []}]}])";
    out_spec_ = R"([1, {"type": null, "context": null, "children_spec": []}])";
    outputs_info_[0].name = "output0";
    this->kernels_ = std::make_unique<AOTInductorModelKernels>();
}

std::unordered_map<std::string, AtenTensorHandle> AOTInductorModel::const_run_impl(
    DeviceStreamType stream,
    AOTIProxyExecutorHandle proxy_executor,
    bool initialization
) {
    
                std::unordered_map<std::string, AtenTensorHandle> folded_constants_map;
                folded_constants_map.reserve(8);
                std::vector<AtenTensorHandle> output_handles(8);
                

    // The below assignment of output_handles to constants is not used directly.
    // It's only used to memo the correspondence of handle and constants.
    output_handles[0] = constants_->at(4);
    output_handles[1] = constants_->at(5);
    output_handles[2] = constants_->at(6);
    output_handles[3] = constants_->at(7);
    output_handles[4] = constants_->at(8);
    output_handles[5] = constants_->at(9);
    output_handles[6] = constants_->at(10);
    output_handles[7] = constants_->at(11);
    _const_run_impl(output_handles, stream, proxy_executor);
    folded_constants_map["_FOLDED_CONST_convert_element_type_16"] = output_handles[0];
    folded_constants_map["_FOLDED_CONST_convert_element_type_11"] = output_handles[1];
    folded_constants_map["_FOLDED_CONST_convert_element_type_6"] = output_handles[2];
    folded_constants_map["_FOLDED_CONST_convert_element_type"] = output_handles[3];
    folded_constants_map["_FOLDED_CONST_permute"] = output_handles[4];
    folded_constants_map["_FOLDED_CONST_permute_1"] = output_handles[5];
    folded_constants_map["_FOLDED_CONST_permute_2"] = output_handles[6];
    folded_constants_map["_FOLDED_CONST_permute_3"] = output_handles[7];
    return folded_constants_map;
}
} // namespace torch::aot_inductor
using namespace torch::aot_inductor;
namespace torch::aot_inductor {
CACHE_TORCH_DTYPE(bfloat16);
CACHE_TORCH_DEVICE(cpu);

void AOTInductorModel::_const_run_impl(
    std::vector<AtenTensorHandle>& output_handles,
    DeviceStreamType stream,
    AOTIProxyExecutorHandle proxy_executor
) {
    [[maybe_unused]] auto& l1_weight = constants_->at(0);
    [[maybe_unused]] auto& l1_bias = constants_->at(1);
    [[maybe_unused]] auto& l2_weight = constants_->at(2);
    [[maybe_unused]] auto& l2_bias = constants_->at(3);
    [[maybe_unused]] auto& kernels = static_cast<AOTInductorModelKernels&>(*this->kernels_.get());
    static constexpr int64_t int_array_0[] = {16L, };
    static constexpr int64_t int_array_1[] = {1L, };
    AtenTensorHandle buf0_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(1, int_array_0, int_array_1, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf0_handle));
    RAIIAtenTensorHandle buf0(buf0_handle);
    AtenTensorHandle buf2_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(1, int_array_0, int_array_1, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf2_handle));
    RAIIAtenTensorHandle buf2(buf2_handle);
    static constexpr int64_t int_array_2[] = {48L, };
    AtenTensorHandle buf1_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(1, int_array_2, int_array_1, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf1_handle));
    RAIIAtenTensorHandle buf1(buf1_handle);
    AtenTensorHandle buf3_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(1, int_array_2, int_array_1, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf3_handle));
    RAIIAtenTensorHandle buf3(buf3_handle);
    static constexpr int64_t int_array_3[] = {48L, 16L};
    static constexpr int64_t int_array_4[] = {16L, 1L};
    AtenTensorHandle buf4_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(2, int_array_3, int_array_4, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf4_handle));
    RAIIAtenTensorHandle buf4(buf4_handle);
    AtenTensorHandle buf6_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(2, int_array_3, int_array_4, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf6_handle));
    RAIIAtenTensorHandle buf6(buf6_handle);
    static constexpr int64_t int_array_5[] = {16L, 48L};
    static constexpr int64_t int_array_6[] = {48L, 1L};
    AtenTensorHandle buf5_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(2, int_array_5, int_array_6, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf5_handle));
    RAIIAtenTensorHandle buf5(buf5_handle);
    AtenTensorHandle buf7_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(2, int_array_5, int_array_6, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf7_handle));
    RAIIAtenTensorHandle buf7(buf7_handle);
    cpp_fused__to_copy_0((const float*)(l2_bias.data_ptr()), (const float*)(l1_bias.data_ptr()), (const float*)(l1_weight.data_ptr()), (const float*)(l2_weight.data_ptr()), (at::BFloat16*)(buf0.data_ptr()), (at::BFloat16*)(buf2.data_ptr()), (at::BFloat16*)(buf1.data_ptr()), (at::BFloat16*)(buf3.data_ptr()), (at::BFloat16*)(buf4.data_ptr()), (at::BFloat16*)(buf6.data_ptr()), (at::BFloat16*)(buf5.data_ptr()), (at::BFloat16*)(buf7.data_ptr()));
    static constexpr int64_t int_array_7[] = {1L, 16L};
    static constexpr int64_t int_array_8[] = {1L, 48L};
    auto var_0 = wrap_with_raii_handle_if_needed(reinterpret_tensor_wrapper(buf4, 2, int_array_5, int_array_7, 0L));
    auto var_1 = wrap_with_raii_handle_if_needed(reinterpret_tensor_wrapper(buf5, 2, int_array_3, int_array_8, 0L));
    auto var_2 = wrap_with_raii_handle_if_needed(reinterpret_tensor_wrapper(buf6, 2, int_array_5, int_array_7, 0L));
    auto var_3 = wrap_with_raii_handle_if_needed(reinterpret_tensor_wrapper(buf7, 2, int_array_3, int_array_8, 0L));
    output_handles[0] = buf0.release();
    output_handles[1] = buf1.release();
    output_handles[2] = buf2.release();
    output_handles[3] = buf3.release();
    output_handles[4] = var_0.release();
    output_handles[5] = var_1.release();
    output_handles[6] = var_2.release();
    output_handles[7] = var_3.release();
} // AOTInductorModel::_const_run_impl


static bool _check_aoti_runtime_check_inputs_env() {
    const static char* env_var_value = getenv("AOTI_RUNTIME_CHECK_INPUTS");
    const static bool result = env_var_value != nullptr && env_var_value[0] != '0';
    return result;
}

AOTI_NOINLINE static void __check_inputs_outputs(
    AtenTensorHandle* input_handles,
    AtenTensorHandle* output_handles) {
    if (!_check_aoti_runtime_check_inputs_env()){
        return;
    }
    check_input_0(input_handles);
}

void AOTInductorModel::run_impl(
    AtenTensorHandle*
        input_handles, // array of input AtenTensorHandle; handles
                        // are stolen; the array itself is borrowed
    AtenTensorHandle*
        output_handles, // array for writing output AtenTensorHandle; handles
                        // will be stolen by the caller; the array itself is
                        // borrowed
    DeviceStreamType stream,
    AOTIProxyExecutorHandle proxy_executor
) {
    __check_inputs_outputs(input_handles, output_handles);
    auto inputs = steal_from_raw_handles_to_raii_handles(input_handles, 1);
    auto arg4_1 = std::move(inputs[0]);
    [[maybe_unused]] auto& l1_weight = constants_->at(0);
    [[maybe_unused]] auto& l1_bias = constants_->at(1);
    [[maybe_unused]] auto& l2_weight = constants_->at(2);
    [[maybe_unused]] auto& l2_bias = constants_->at(3);
    [[maybe_unused]] auto& _FOLDED_CONST_convert_element_type_16 = constants_->at(4);
    [[maybe_unused]] auto& _FOLDED_CONST_convert_element_type_11 = constants_->at(5);
    [[maybe_unused]] auto& _FOLDED_CONST_convert_element_type_6 = constants_->at(6);
    [[maybe_unused]] auto& _FOLDED_CONST_convert_element_type = constants_->at(7);
    [[maybe_unused]] auto& _FOLDED_CONST_permute = constants_->at(8);
    [[maybe_unused]] auto& _FOLDED_CONST_permute_1 = constants_->at(9);
    [[maybe_unused]] auto& _FOLDED_CONST_permute_2 = constants_->at(10);
    [[maybe_unused]] auto& _FOLDED_CONST_permute_3 = constants_->at(11);
    inputs.clear();
    [[maybe_unused]] auto& kernels = static_cast<AOTInductorModelKernels&>(*this->kernels_.get());
    if (_check_aoti_runtime_check_inputs_env()) { assert_size_stride(arg4_1, {4L, 16L}, {16L, 1L}, "input"); }
    static constexpr int64_t int_array_0[] = {4L, 16L};
    static constexpr int64_t int_array_1[] = {16L, 1L};
    AtenTensorHandle buf0_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(2, int_array_0, int_array_1, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf0_handle));
    RAIIAtenTensorHandle buf0(buf0_handle);
    cpp_fused__to_copy_1((const float*)(arg4_1.data_ptr()), (at::BFloat16*)(buf0.data_ptr()));
    arg4_1.reset();
    static constexpr int64_t int_array_2[] = {4L, 48L};
    static constexpr int64_t int_array_3[] = {48L, 1L};
    AtenTensorHandle buf1_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(2, int_array_2, int_array_3, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf1_handle));
    RAIIAtenTensorHandle buf1(buf1_handle);
    // Topologically Sorted Source Nodes: [linear_3], Original ATen: [aten._to_copy, aten.addmm]
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_cpu_addmm_out(buf1, _FOLDED_CONST_convert_element_type, buf0, _FOLDED_CONST_permute, 1L, 1L));
    buf0.reset();
    auto buf2 = std::move(buf1);  // reuse
    cpp_fused_relu_2((at::BFloat16*)(buf2.data_ptr()));
    AtenTensorHandle buf3_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(2, int_array_0, int_array_1, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf3_handle));
    RAIIAtenTensorHandle buf3(buf3_handle);
    // Topologically Sorted Source Nodes: [linear_3], Original ATen: [aten.relu, aten.addmm]
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_cpu_addmm_out(buf3, _FOLDED_CONST_convert_element_type_6, buf2, _FOLDED_CONST_permute_1, 1L, 1L));
    auto buf4 = std::move(buf2);  // reuse
    // Topologically Sorted Source Nodes: [linear_3], Original ATen: [aten.addmm]
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_cpu_addmm_out(buf4, _FOLDED_CONST_convert_element_type_11, buf3, _FOLDED_CONST_permute_2, 1L, 1L));
    buf3.reset();
    auto buf5 = std::move(buf4);  // reuse
    cpp_fused_relu_2((at::BFloat16*)(buf5.data_ptr()));
    AtenTensorHandle buf6_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(2, int_array_0, int_array_1, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf6_handle));
    RAIIAtenTensorHandle buf6(buf6_handle);
    // Topologically Sorted Source Nodes: [linear_3], Original ATen: [aten.relu, aten.addmm]
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_cpu_addmm_out(buf6, _FOLDED_CONST_convert_element_type_16, buf5, _FOLDED_CONST_permute_3, 1L, 1L));
    buf5.reset();
    AtenTensorHandle buf7_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(2, int_array_0, int_array_1, cached_torch_dtype_float32, cached_torch_device_type_cpu, this->device_idx_, &buf7_handle));
    RAIIAtenTensorHandle buf7(buf7_handle);
    cpp_fused__to_copy_3((const at::BFloat16*)(buf6.data_ptr()), (float*)(buf7.data_ptr()));
    output_handles[0] = buf7.release();
} // AOTInductorModel::run_impl
} // namespace torch::aot_inductor





