
#include <torch/csrc/inductor/aoti_include/cpu.h>
AOTInductorModel::AOTInductorModel(std::shared_ptr<ConstantMap> constants_map,
                                   std::shared_ptr<std::vector<ConstantHandle>> constants_array,
                                   const std::string& device_str,
                                   std::optional<std::string> cubin_dir)
    : AOTInductorModelBase(1,
                           1,
                           20,
                           device_str,
                           std::move(cubin_dir),
                           true) {
    inputs_info_[0].name = "arg11_1";
    constants_info_[0].name = "c1_weight";
    constants_info_[0].dtype = cached_torch_dtype_float32;
    constants_info_[0].device_type = cached_torch_device_type_cpu;
    constants_info_[0].offset = 0;
    constants_info_[0].data_size = 1728;
    constants_info_[0].from_folded = false;
    constants_info_[0].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::Parameter);
    constants_info_[0].shape = {16, 3, 3, 3};
    constants_info_[0].stride = {27, 1, 9, 3};
    constants_info_[0].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[0].original_fqn = "c1.weight";
    constants_info_[1].name = "c1_bias";
    constants_info_[1].dtype = cached_torch_dtype_float32;
    constants_info_[1].device_type = cached_torch_device_type_cpu;
    constants_info_[1].offset = 0;
    constants_info_[1].data_size = 64;
    constants_info_[1].from_folded = false;
    constants_info_[1].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::Parameter);
    constants_info_[1].shape = {16};
    constants_info_[1].stride = {1};
    constants_info_[1].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[1].original_fqn = "c1.bias";
    constants_info_[2].name = "bn_weight";
    constants_info_[2].dtype = cached_torch_dtype_float32;
    constants_info_[2].device_type = cached_torch_device_type_cpu;
    constants_info_[2].offset = 0;
    constants_info_[2].data_size = 64;
    constants_info_[2].from_folded = false;
    constants_info_[2].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::Parameter);
    constants_info_[2].shape = {16};
    constants_info_[2].stride = {1};
    constants_info_[2].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[2].original_fqn = "bn.weight";
    constants_info_[3].name = "bn_bias";
    constants_info_[3].dtype = cached_torch_dtype_float32;
    constants_info_[3].device_type = cached_torch_device_type_cpu;
    constants_info_[3].offset = 0;
    constants_info_[3].data_size = 64;
    constants_info_[3].from_folded = false;
    constants_info_[3].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::Parameter);
    constants_info_[3].shape = {16};
    constants_info_[3].stride = {1};
    constants_info_[3].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[3].original_fqn = "bn.bias";
    constants_info_[4].name = "c2_weight";
    constants_info_[4].dtype = cached_torch_dtype_float32;
    constants_info_[4].device_type = cached_torch_device_type_cpu;
    constants_info_[4].offset = 0;
    constants_info_[4].data_size = 13824;
    constants_info_[4].from_folded = false;
    constants_info_[4].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::Parameter);
    constants_info_[4].shape = {24, 16, 3, 3};
    constants_info_[4].stride = {144, 1, 48, 16};
    constants_info_[4].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[4].original_fqn = "c2.weight";
    constants_info_[5].name = "c2_bias";
    constants_info_[5].dtype = cached_torch_dtype_float32;
    constants_info_[5].device_type = cached_torch_device_type_cpu;
    constants_info_[5].offset = 0;
    constants_info_[5].data_size = 128;
    constants_info_[5].from_folded = false;
    constants_info_[5].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::Parameter);
    constants_info_[5].shape = {24};
    constants_info_[5].stride = {1};
    constants_info_[5].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[5].original_fqn = "c2.bias";
    constants_info_[6].name = "fc_weight";
    constants_info_[6].dtype = cached_torch_dtype_float32;
    constants_info_[6].device_type = cached_torch_device_type_cpu;
    constants_info_[6].offset = 0;
    constants_info_[6].data_size = 960;
    constants_info_[6].from_folded = false;
    constants_info_[6].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::Parameter);
    constants_info_[6].shape = {10, 24};
    constants_info_[6].stride = {24, 1};
    constants_info_[6].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[6].original_fqn = "fc.weight";
    constants_info_[7].name = "fc_bias";
    constants_info_[7].dtype = cached_torch_dtype_float32;
    constants_info_[7].device_type = cached_torch_device_type_cpu;
    constants_info_[7].offset = 0;
    constants_info_[7].data_size = 64;
    constants_info_[7].from_folded = false;
    constants_info_[7].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::Parameter);
    constants_info_[7].shape = {10};
    constants_info_[7].stride = {1};
    constants_info_[7].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[7].original_fqn = "fc.bias";
    constants_info_[8].name = "bn_running_mean";
    constants_info_[8].dtype = cached_torch_dtype_float32;
    constants_info_[8].device_type = cached_torch_device_type_cpu;
    constants_info_[8].offset = 0;
    constants_info_[8].data_size = 64;
    constants_info_[8].from_folded = false;
    constants_info_[8].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::Buffer);
    constants_info_[8].shape = {16};
    constants_info_[8].stride = {1};
    constants_info_[8].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[8].original_fqn = "bn.running_mean";
    constants_info_[9].name = "bn_running_var";
    constants_info_[9].dtype = cached_torch_dtype_float32;
    constants_info_[9].device_type = cached_torch_device_type_cpu;
    constants_info_[9].offset = 0;
    constants_info_[9].data_size = 64;
    constants_info_[9].from_folded = false;
    constants_info_[9].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::Buffer);
    constants_info_[9].shape = {16};
    constants_info_[9].stride = {1};
    constants_info_[9].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[9].original_fqn = "bn.running_var";
    constants_info_[10].name = "_FOLDED_CONST_convert_element_type_8";
    constants_info_[10].dtype = cached_torch_dtype_bfloat16;
    constants_info_[10].device_type = cached_torch_device_type_cpu;
    constants_info_[10].offset = 0;
    constants_info_[10].data_size = 64;
    constants_info_[10].from_folded = true;
    constants_info_[10].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::FoldedConstant);
    constants_info_[10].shape = {10};
    constants_info_[10].stride = {1};
    constants_info_[10].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[10].original_fqn = "_FOLDED_CONST_convert_element_type_8";
    constants_info_[11].name = "_FOLDED_CONST_convert_element_type_1";
    constants_info_[11].dtype = cached_torch_dtype_bfloat16;
    constants_info_[11].device_type = cached_torch_device_type_cpu;
    constants_info_[11].offset = 0;
    constants_info_[11].data_size = 896;
    constants_info_[11].from_folded = true;
    constants_info_[11].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::FoldedConstant);
    constants_info_[11].shape = {16, 3, 3, 3};
    constants_info_[11].stride = {27, 1, 9, 3};
    constants_info_[11].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[11].original_fqn = "_FOLDED_CONST_convert_element_type_1";
    constants_info_[12].name = "_FOLDED_CONST_convert_element_type";
    constants_info_[12].dtype = cached_torch_dtype_bfloat16;
    constants_info_[12].device_type = cached_torch_device_type_cpu;
    constants_info_[12].offset = 0;
    constants_info_[12].data_size = 64;
    constants_info_[12].from_folded = true;
    constants_info_[12].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::FoldedConstant);
    constants_info_[12].shape = {16};
    constants_info_[12].stride = {1};
    constants_info_[12].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[12].original_fqn = "_FOLDED_CONST_convert_element_type";
    constants_info_[13].name = "_FOLDED_CONST_unsqueeze_1";
    constants_info_[13].dtype = cached_torch_dtype_float32;
    constants_info_[13].device_type = cached_torch_device_type_cpu;
    constants_info_[13].offset = 0;
    constants_info_[13].data_size = 64;
    constants_info_[13].from_folded = true;
    constants_info_[13].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::FoldedConstant);
    constants_info_[13].shape = {16, 1, 1};
    constants_info_[13].stride = {1, 1, 1};
    constants_info_[13].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[13].original_fqn = "_FOLDED_CONST_unsqueeze_1";
    constants_info_[14].name = "_FOLDED_CONST_unsqueeze_3";
    constants_info_[14].dtype = cached_torch_dtype_float32;
    constants_info_[14].device_type = cached_torch_device_type_cpu;
    constants_info_[14].offset = 0;
    constants_info_[14].data_size = 64;
    constants_info_[14].from_folded = true;
    constants_info_[14].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::FoldedConstant);
    constants_info_[14].shape = {16, 1, 1};
    constants_info_[14].stride = {1, 1, 1};
    constants_info_[14].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[14].original_fqn = "_FOLDED_CONST_unsqueeze_3";
    constants_info_[15].name = "_FOLDED_CONST_unsqueeze_5";
    constants_info_[15].dtype = cached_torch_dtype_float32;
    constants_info_[15].device_type = cached_torch_device_type_cpu;
    constants_info_[15].offset = 0;
    constants_info_[15].data_size = 64;
    constants_info_[15].from_folded = true;
    constants_info_[15].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::FoldedConstant);
    constants_info_[15].shape = {16, 1, 1};
    constants_info_[15].stride = {1, 1, 1};
    constants_info_[15].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[15].original_fqn = "_FOLDED_CONST_unsqueeze_5";
    constants_info_[16].name = "_FOLDED_CONST_unsqueeze_7";
    constants_info_[16].dtype = cached_torch_dtype_float32;
    constants_info_[16].device_type = cached_torch_device_type_cpu;
    constants_info_[16].offset = 0;
    constants_info_[16].data_size = 64;
    constants_info_[16].from_folded = true;
    constants_info_[16].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::FoldedConstant);
    constants_info_[16].shape = {16, 1, 1};
    constants_info_[16].stride = {1, 1, 1};
    constants_info_[16].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[16].original_fqn = "_FOLDED_CONST_unsqueeze_7";
    constants_info_[17].name = "_FOLDED_CONST_convert_element_type_7";
    constants_info_[17].dtype = cached_torch_dtype_bfloat16;
    constants_info_[17].device_type = cached_torch_device_type_cpu;
    constants_info_[17].offset = 0;
    constants_info_[17].data_size = 6912;
    constants_info_[17].from_folded = true;
    constants_info_[17].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::FoldedConstant);
    constants_info_[17].shape = {24, 16, 3, 3};
    constants_info_[17].stride = {144, 1, 48, 16};
    constants_info_[17].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[17].original_fqn = "_FOLDED_CONST_convert_element_type_7";
    constants_info_[18].name = "_FOLDED_CONST_convert_element_type_6";
    constants_info_[18].dtype = cached_torch_dtype_bfloat16;
    constants_info_[18].device_type = cached_torch_device_type_cpu;
    constants_info_[18].offset = 0;
    constants_info_[18].data_size = 64;
    constants_info_[18].from_folded = true;
    constants_info_[18].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::FoldedConstant);
    constants_info_[18].shape = {24};
    constants_info_[18].stride = {1};
    constants_info_[18].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[18].original_fqn = "_FOLDED_CONST_convert_element_type_6";
    constants_info_[19].name = "_FOLDED_CONST_permute";
    constants_info_[19].dtype = cached_torch_dtype_bfloat16;
    constants_info_[19].device_type = cached_torch_device_type_cpu;
    constants_info_[19].offset = 0;
    constants_info_[19].data_size = 512;
    constants_info_[19].from_folded = true;
    constants_info_[19].type = static_cast<int32_t>(torch::aot_inductor::ConstantType::FoldedConstant);
    constants_info_[19].shape = {24, 10};
    constants_info_[19].stride = {1, 24};
    constants_info_[19].layout = static_cast<int32_t>(cached_torch_layout_strided);
    constants_info_[19].original_fqn = "_FOLDED_CONST_permute";
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
                folded_constants_map.reserve(10);
                std::vector<AtenTensorHandle> output_handles(10);
                

    // The below assignment of output_handles to constants is not used directly.
    // It's only used to memo the correspondence of handle and constants.
    output_handles[0] = constants_->at(10);
    output_handles[1] = constants_->at(11);
    output_handles[2] = constants_->at(12);
    output_handles[3] = constants_->at(13);
    output_handles[4] = constants_->at(14);
    output_handles[5] = constants_->at(15);
    output_handles[6] = constants_->at(16);
    output_handles[7] = constants_->at(17);
    output_handles[8] = constants_->at(18);
    output_handles[9] = constants_->at(19);
    _const_run_impl(output_handles, stream, proxy_executor);
    folded_constants_map["_FOLDED_CONST_convert_element_type_8"] = output_handles[0];
    folded_constants_map["_FOLDED_CONST_convert_element_type_1"] = output_handles[1];
    folded_constants_map["_FOLDED_CONST_convert_element_type"] = output_handles[2];
    folded_constants_map["_FOLDED_CONST_unsqueeze_1"] = output_handles[3];
    folded_constants_map["_FOLDED_CONST_unsqueeze_3"] = output_handles[4];
    folded_constants_map["_FOLDED_CONST_unsqueeze_5"] = output_handles[5];
    folded_constants_map["_FOLDED_CONST_unsqueeze_7"] = output_handles[6];
    folded_constants_map["_FOLDED_CONST_convert_element_type_7"] = output_handles[7];
    folded_constants_map["_FOLDED_CONST_convert_element_type_6"] = output_handles[8];
    folded_constants_map["_FOLDED_CONST_permute"] = output_handles[9];
    return folded_constants_map;
}
} // namespace torch::aot_inductor
using namespace torch::aot_inductor;
namespace torch::aot_inductor {
CACHE_TORCH_DTYPE(bfloat16);
CACHE_TORCH_DTYPE(float32);
CACHE_TORCH_DEVICE(cpu);

void AOTInductorModel::_const_run_impl(
    std::vector<AtenTensorHandle>& output_handles,
    DeviceStreamType stream,
    AOTIProxyExecutorHandle proxy_executor
) {
    [[maybe_unused]] auto& c1_weight = constants_->at(0);
    [[maybe_unused]] auto& c1_bias = constants_->at(1);
    [[maybe_unused]] auto& bn_weight = constants_->at(2);
    [[maybe_unused]] auto& bn_bias = constants_->at(3);
    [[maybe_unused]] auto& c2_weight = constants_->at(4);
    [[maybe_unused]] auto& c2_bias = constants_->at(5);
    [[maybe_unused]] auto& fc_weight = constants_->at(6);
    [[maybe_unused]] auto& fc_bias = constants_->at(7);
    [[maybe_unused]] auto& bn_running_mean = constants_->at(8);
    [[maybe_unused]] auto& bn_running_var = constants_->at(9);
    [[maybe_unused]] auto& kernels = static_cast<AOTInductorModelKernels&>(*this->kernels_.get());
    static constexpr int64_t int_array_0[] = {10L, };
    static constexpr int64_t int_array_1[] = {1L, };
    AtenTensorHandle buf0_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(1, int_array_0, int_array_1, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf0_handle));
    RAIIAtenTensorHandle buf0(buf0_handle);
    static constexpr int64_t int_array_2[] = {16L, 3L, 3L, 3L};
    static constexpr int64_t int_array_3[] = {27L, 1L, 9L, 3L};
    AtenTensorHandle buf1_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(4, int_array_2, int_array_3, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf1_handle));
    RAIIAtenTensorHandle buf1(buf1_handle);
    static constexpr int64_t int_array_4[] = {16L, };
    AtenTensorHandle buf2_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(1, int_array_4, int_array_1, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf2_handle));
    RAIIAtenTensorHandle buf2(buf2_handle);
    AtenTensorHandle buf3_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(1, int_array_4, int_array_1, cached_torch_dtype_float32, cached_torch_device_type_cpu, this->device_idx_, &buf3_handle));
    RAIIAtenTensorHandle buf3(buf3_handle);
    static constexpr int64_t int_array_5[] = {24L, 16L, 3L, 3L};
    static constexpr int64_t int_array_6[] = {144L, 1L, 48L, 16L};
    AtenTensorHandle buf4_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(4, int_array_5, int_array_6, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf4_handle));
    RAIIAtenTensorHandle buf4(buf4_handle);
    static constexpr int64_t int_array_7[] = {24L, };
    AtenTensorHandle buf5_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(1, int_array_7, int_array_1, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf5_handle));
    RAIIAtenTensorHandle buf5(buf5_handle);
    static constexpr int64_t int_array_8[] = {10L, 24L};
    static constexpr int64_t int_array_9[] = {24L, 1L};
    AtenTensorHandle buf6_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(2, int_array_8, int_array_9, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf6_handle));
    RAIIAtenTensorHandle buf6(buf6_handle);
    cpp_fused__native_batch_norm_legit_no_training__to_copy_0((const float*)(fc_bias.data_ptr()), (const float*)(c1_weight.data_ptr()), (const float*)(c1_bias.data_ptr()), (const float*)(bn_running_var.data_ptr()), (const float*)(c2_weight.data_ptr()), (const float*)(c2_bias.data_ptr()), (const float*)(fc_weight.data_ptr()), (at::BFloat16*)(buf0.data_ptr()), (at::BFloat16*)(buf1.data_ptr()), (at::BFloat16*)(buf2.data_ptr()), (float*)(buf3.data_ptr()), (at::BFloat16*)(buf4.data_ptr()), (at::BFloat16*)(buf5.data_ptr()), (at::BFloat16*)(buf6.data_ptr()));
    static constexpr int64_t int_array_10[] = {16L, 1L, 1L};
    static constexpr int64_t int_array_11[] = {1L, 1L, 1L};
    static constexpr int64_t int_array_12[] = {24L, 10L};
    static constexpr int64_t int_array_13[] = {1L, 24L};
    auto var_0 = wrap_with_raii_handle_if_needed(reinterpret_tensor_wrapper(bn_running_mean, 3, int_array_10, int_array_11, 0L));
    auto var_1 = wrap_with_raii_handle_if_needed(reinterpret_tensor_wrapper(buf3, 3, int_array_10, int_array_11, 0L));
    auto var_2 = wrap_with_raii_handle_if_needed(reinterpret_tensor_wrapper(bn_weight, 3, int_array_10, int_array_11, 0L));
    auto var_3 = wrap_with_raii_handle_if_needed(reinterpret_tensor_wrapper(bn_bias, 3, int_array_10, int_array_11, 0L));
    auto var_4 = wrap_with_raii_handle_if_needed(reinterpret_tensor_wrapper(buf6, 2, int_array_12, int_array_13, 0L));
    output_handles[0] = buf0.release();
    output_handles[1] = buf1.release();
    output_handles[2] = buf2.release();
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_clone(var_0, &output_handles[3]));
    output_handles[4] = var_1.release();
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_clone(var_2, &output_handles[5]));
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_clone(var_3, &output_handles[6]));
    output_handles[7] = buf4.release();
    output_handles[8] = buf5.release();
    output_handles[9] = var_4.release();
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
    auto arg11_1 = std::move(inputs[0]);
    [[maybe_unused]] auto& c1_weight = constants_->at(0);
    [[maybe_unused]] auto& c1_bias = constants_->at(1);
    [[maybe_unused]] auto& bn_weight = constants_->at(2);
    [[maybe_unused]] auto& bn_bias = constants_->at(3);
    [[maybe_unused]] auto& c2_weight = constants_->at(4);
    [[maybe_unused]] auto& c2_bias = constants_->at(5);
    [[maybe_unused]] auto& fc_weight = constants_->at(6);
    [[maybe_unused]] auto& fc_bias = constants_->at(7);
    [[maybe_unused]] auto& bn_running_mean = constants_->at(8);
    [[maybe_unused]] auto& bn_running_var = constants_->at(9);
    [[maybe_unused]] auto& _FOLDED_CONST_convert_element_type_8 = constants_->at(10);
    [[maybe_unused]] auto& _FOLDED_CONST_convert_element_type_1 = constants_->at(11);
    [[maybe_unused]] auto& _FOLDED_CONST_convert_element_type = constants_->at(12);
    [[maybe_unused]] auto& _FOLDED_CONST_unsqueeze_1 = constants_->at(13);
    [[maybe_unused]] auto& _FOLDED_CONST_unsqueeze_3 = constants_->at(14);
    [[maybe_unused]] auto& _FOLDED_CONST_unsqueeze_5 = constants_->at(15);
    [[maybe_unused]] auto& _FOLDED_CONST_unsqueeze_7 = constants_->at(16);
    [[maybe_unused]] auto& _FOLDED_CONST_convert_element_type_7 = constants_->at(17);
    [[maybe_unused]] auto& _FOLDED_CONST_convert_element_type_6 = constants_->at(18);
    [[maybe_unused]] auto& _FOLDED_CONST_permute = constants_->at(19);
    inputs.clear();
    [[maybe_unused]] auto& kernels = static_cast<AOTInductorModelKernels&>(*this->kernels_.get());
    if (_check_aoti_runtime_check_inputs_env()) { assert_size_stride(arg11_1, {1L, 3L, 16L, 16L}, {768L, 1L, 48L, 3L}, "input"); }
    static constexpr int64_t int_array_0[] = {1L, 3L, 16L, 16L};
    static constexpr int64_t int_array_1[] = {768L, 1L, 48L, 3L};
    AtenTensorHandle buf0_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(4, int_array_0, int_array_1, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf0_handle));
    RAIIAtenTensorHandle buf0(buf0_handle);
    cpp_fused__to_copy_1((const float*)(arg11_1.data_ptr()), (at::BFloat16*)(buf0.data_ptr()));
    arg11_1.reset();
    // Topologically Sorted Source Nodes: [linear], Original ATen: [aten._to_copy, aten.convolution]
    AtenTensorHandle buf1_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_cpu_convolution(buf0, _FOLDED_CONST_convert_element_type_1, &temporary_reference(_FOLDED_CONST_convert_element_type.get()), static_cast<const int64_t*>(std::array<int64_t, 2>{1L, 1L}.data()), 2, static_cast<const int64_t*>(std::array<int64_t, 2>{0L, 0L}.data()), 2, static_cast<const int64_t*>(std::array<int64_t, 2>{1L, 1L}.data()), 2, 0, static_cast<const int64_t*>(std::array<int64_t, 2>{0L, 0L}.data()), 2, 1L, &buf1_handle));
    RAIIAtenTensorHandle buf1(buf1_handle);
    if (_check_aoti_runtime_check_inputs_env()) { assert_size_stride(buf1, {1L, 16L, 14L, 14L}, {3136L, 1L, 224L, 16L}, "torch.ops.aten.convolution.default", cached_torch_dtype_bfloat16, "torch.bfloat16"); }
    buf0.reset();
    auto buf2 = std::move(buf1);  // reuse
    cpp_fused__native_batch_norm_legit_no_training_relu_2((at::BFloat16*)(buf2.data_ptr()), (const float*)(_FOLDED_CONST_unsqueeze_1.data_ptr()), (const float*)(_FOLDED_CONST_unsqueeze_3.data_ptr()), (const float*)(_FOLDED_CONST_unsqueeze_5.data_ptr()), (const float*)(_FOLDED_CONST_unsqueeze_7.data_ptr()));
    // Topologically Sorted Source Nodes: [linear], Original ATen: [aten._native_batch_norm_legit_no_training, aten.relu, aten.convolution]
    AtenTensorHandle buf3_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_cpu_convolution(buf2, _FOLDED_CONST_convert_element_type_7, &temporary_reference(_FOLDED_CONST_convert_element_type_6.get()), static_cast<const int64_t*>(std::array<int64_t, 2>{1L, 1L}.data()), 2, static_cast<const int64_t*>(std::array<int64_t, 2>{0L, 0L}.data()), 2, static_cast<const int64_t*>(std::array<int64_t, 2>{1L, 1L}.data()), 2, 0, static_cast<const int64_t*>(std::array<int64_t, 2>{0L, 0L}.data()), 2, 1L, &buf3_handle));
    RAIIAtenTensorHandle buf3(buf3_handle);
    if (_check_aoti_runtime_check_inputs_env()) { assert_size_stride(buf3, {1L, 24L, 12L, 12L}, {3456L, 1L, 288L, 24L}, "torch.ops.aten.convolution.default", cached_torch_dtype_bfloat16, "torch.bfloat16"); }
    buf2.reset();
    static constexpr int64_t int_array_2[] = {1L, 24L};
    static constexpr int64_t int_array_3[] = {24L, 1L};
    AtenTensorHandle buf4_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(2, int_array_2, int_array_3, cached_torch_dtype_float32, cached_torch_device_type_cpu, this->device_idx_, &buf4_handle));
    RAIIAtenTensorHandle buf4(buf4_handle);
    AtenTensorHandle buf5_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(2, int_array_2, int_array_3, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf5_handle));
    RAIIAtenTensorHandle buf5(buf5_handle);
    cpp_fused_mean_relu_3((const at::BFloat16*)(buf3.data_ptr()), (float*)(buf4.data_ptr()), (at::BFloat16*)(buf5.data_ptr()));
    buf3.reset();
    buf4.reset();
    static constexpr int64_t int_array_4[] = {1L, 10L};
    static constexpr int64_t int_array_5[] = {10L, 1L};
    AtenTensorHandle buf6_handle;
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(2, int_array_4, int_array_5, cached_torch_dtype_bfloat16, cached_torch_device_type_cpu, this->device_idx_, &buf6_handle));
    RAIIAtenTensorHandle buf6(buf6_handle);
    // Topologically Sorted Source Nodes: [linear], Original ATen: [aten.relu, aten.mean, aten.addmm]
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_cpu_addmm_out(buf6, _FOLDED_CONST_convert_element_type_8, buf5, _FOLDED_CONST_permute, 1L, 1L));
    output_handles[0] = buf6.release();
} // AOTInductorModel::run_impl
} // namespace torch::aot_inductor




