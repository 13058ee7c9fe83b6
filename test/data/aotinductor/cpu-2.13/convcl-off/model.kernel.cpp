#include <torch/csrc/inductor/cpp_prefix.h>
extern "C"  void  cpp_fused__to_copy_0(const float* in_ptr0,
                       const float* in_ptr1,
                       const float* in_ptr2,
                       at::BFloat16* out_ptr0,
                       at::BFloat16* out_ptr1,
                       at::BFloat16* out_ptr2)
{
    std::atomic<int> inductor_cpu_integer_div_error{0};
    inductor_cpu_integer_div_error_flag = &inductor_cpu_integer_div_error;
    {
        #pragma GCC ivdep
        for(int64_t x0=static_cast<int64_t>(0L); x0<static_cast<int64_t>(768L); x0+=static_cast<int64_t>(1L))
        {
            {
                {
                    auto tmp0 = in_ptr0[static_cast<int64_t>(x0)];
                    auto tmp1 = c10::convert<at::BFloat16>(tmp0);
                    out_ptr0[static_cast<int64_t>(x0)] = tmp1;
                }
            }
        }
    }
    {
        #pragma GCC ivdep
        for(int64_t x0=static_cast<int64_t>(0L); x0<static_cast<int64_t>(432L); x0+=static_cast<int64_t>(1L))
        {
            {
                {
                    auto tmp0 = in_ptr1[static_cast<int64_t>(x0)];
                    auto tmp1 = c10::convert<at::BFloat16>(tmp0);
                    out_ptr1[static_cast<int64_t>(x0)] = tmp1;
                }
            }
        }
    }
    {
        #pragma GCC ivdep
        for(int64_t x0=static_cast<int64_t>(0L); x0<static_cast<int64_t>(16L); x0+=static_cast<int64_t>(1L))
        {
            {
                {
                    auto tmp0 = in_ptr2[static_cast<int64_t>(x0)];
                    auto tmp1 = c10::convert<at::BFloat16>(tmp0);
                    out_ptr2[static_cast<int64_t>(x0)] = tmp1;
                }
            }
        }
    }
    inductor_cpu_integer_div_error_flag = nullptr;
    inductor_cpu_throw_if_integer_div_error(inductor_cpu_integer_div_error);
}

#include <torch/csrc/inductor/cpp_prefix.h>
extern "C"  void  cpp_fused__native_batch_norm_legit_no_training__to_copy_relu_1(at::BFloat16* in_out_ptr0,
                       const float* in_ptr0,
                       const float* in_ptr1,
                       const float* in_ptr2,
                       const float* in_ptr3,
                       const float* in_ptr4,
                       const float* in_ptr5,
                       at::BFloat16* out_ptr0,
                       at::BFloat16* out_ptr1)
{
    std::atomic<int> inductor_cpu_integer_div_error{0};
    inductor_cpu_integer_div_error_flag = &inductor_cpu_integer_div_error;
    {
        #pragma GCC ivdep
        for(int64_t x0=static_cast<int64_t>(0L); x0<static_cast<int64_t>(196L); x0+=static_cast<int64_t>(1L))
        {
            #pragma GCC ivdep
            for(int64_t x1=static_cast<int64_t>(0L); x1<static_cast<int64_t>(16L); x1+=static_cast<int64_t>(1L))
            {
                {
                    {
                        auto tmp0 = in_out_ptr0[static_cast<int64_t>(x1 + 16L*x0)];
                        auto tmp2 = in_ptr0[static_cast<int64_t>(x1)];
                        auto tmp4 = in_ptr1[static_cast<int64_t>(x1)];
                        auto tmp12 = in_ptr2[static_cast<int64_t>(x1)];
                        auto tmp14 = in_ptr3[static_cast<int64_t>(x1)];
                        auto tmp1 = c10::convert<float>(tmp0);
                        auto tmp3 = float(tmp1 - tmp2);
                        auto tmp5 = static_cast<float>(1e-05);
                        auto tmp6 = float(tmp4 + tmp5);
                        auto tmp7 = std::sqrt(tmp6);
                        auto tmp8 = static_cast<float>(1.0);
                        auto tmp9 = tmp8 / tmp7;
                        auto tmp10 = float(tmp9 * tmp8);
                        auto tmp11 = float(tmp3 * tmp10);
                        auto tmp13 = float(tmp11 * tmp12);
                        auto tmp15 = float(tmp13 + tmp14);
                        auto tmp16 = c10::convert<float>(tmp15);
                        auto tmp17 = std::max(tmp16, decltype(tmp16)(0));
                        auto tmp18 = c10::convert<at::BFloat16>(tmp17);
                        in_out_ptr0[static_cast<int64_t>(x1 + 16L*x0)] = tmp18;
                    }
                }
            }
        }
    }
    {
        #pragma GCC ivdep
        for(int64_t x0=static_cast<int64_t>(0L); x0<static_cast<int64_t>(3456L); x0+=static_cast<int64_t>(1L))
        {
            {
                {
                    auto tmp0 = in_ptr4[static_cast<int64_t>(x0)];
                    auto tmp1 = c10::convert<at::BFloat16>(tmp0);
                    out_ptr0[static_cast<int64_t>(x0)] = tmp1;
                }
            }
        }
    }
    {
        #pragma GCC ivdep
        for(int64_t x0=static_cast<int64_t>(0L); x0<static_cast<int64_t>(24L); x0+=static_cast<int64_t>(1L))
        {
            {
                {
                    auto tmp0 = in_ptr5[static_cast<int64_t>(x0)];
                    auto tmp1 = c10::convert<at::BFloat16>(tmp0);
                    out_ptr1[static_cast<int64_t>(x0)] = tmp1;
                }
            }
        }
    }
    inductor_cpu_integer_div_error_flag = nullptr;
    inductor_cpu_throw_if_integer_div_error(inductor_cpu_integer_div_error);
}

#include <torch/csrc/inductor/cpp_prefix.h>
extern "C"  void  cpp_fused__to_copy_mean_relu_2(const at::BFloat16* in_ptr0,
                       const float* in_ptr1,
                       const float* in_ptr2,
                       float* out_ptr0,
                       at::BFloat16* out_ptr1,
                       at::BFloat16* out_ptr2,
                       at::BFloat16* out_ptr3)
{
    std::atomic<int> inductor_cpu_integer_div_error{0};
    inductor_cpu_integer_div_error_flag = &inductor_cpu_integer_div_error;
    {
        #pragma GCC ivdep
        for(int64_t x0=static_cast<int64_t>(0L); x0<static_cast<int64_t>(24L); x0+=static_cast<int64_t>(1L))
        {
            {
                float tmp_acc0 = 0;
                for(int64_t x1=static_cast<int64_t>(0L); x1<static_cast<int64_t>(144L); x1+=static_cast<int64_t>(1L))
                {
                    {
                        {
                            auto tmp0 = in_ptr0[static_cast<int64_t>(x0 + 24L*x1)];
                            auto tmp1 = c10::convert<float>(tmp0);
                            auto tmp2 = std::max(tmp1, decltype(tmp1)(0));
                            auto tmp3 = c10::convert<float>(tmp2);
                            tmp_acc0 = tmp_acc0 + tmp3;
                        }
                    }
                }
                out_ptr0[static_cast<int64_t>(x0)] = tmp_acc0;
            }
            {
                {
                    auto tmp0 = out_ptr0[static_cast<int64_t>(x0)];
                    auto tmp1 = static_cast<float>(144.0);
                    auto tmp2 = tmp0 / tmp1;
                    auto tmp3 = c10::convert<at::BFloat16>(tmp2);
                    out_ptr1[static_cast<int64_t>(x0)] = tmp3;
                }
            }
        }
    }
    {
        #pragma GCC ivdep
        for(int64_t x0=static_cast<int64_t>(0L); x0<static_cast<int64_t>(240L); x0+=static_cast<int64_t>(1L))
        {
            {
                {
                    auto tmp0 = in_ptr1[static_cast<int64_t>(x0)];
                    auto tmp1 = c10::convert<at::BFloat16>(tmp0);
                    out_ptr2[static_cast<int64_t>(x0)] = tmp1;
                }
            }
        }
    }
    {
        #pragma GCC ivdep
        for(int64_t x0=static_cast<int64_t>(0L); x0<static_cast<int64_t>(10L); x0+=static_cast<int64_t>(1L))
        {
            {
                {
                    auto tmp0 = in_ptr2[static_cast<int64_t>(x0)];
                    auto tmp1 = c10::convert<at::BFloat16>(tmp0);
                    out_ptr3[static_cast<int64_t>(x0)] = tmp1;
                }
            }
        }
    }
    inductor_cpu_integer_div_error_flag = nullptr;
    inductor_cpu_throw_if_integer_div_error(inductor_cpu_integer_div_error);
}
