// The portable functions as a table.
#include "kernels/portable/portable.h"

namespace ink {

const KernelTable& portable_kernels() {
  static constexpr KernelTable table = {
      .name = "portable",
      .panel_f32 = portable::panel_f32,
      .panel_f16 = portable::panel_f16,
      .panel_bf16 = portable::panel_bf16,
      .panel_int8 = portable::panel_int8,
      .panel_int8_fine = portable::panel_int8_fine,
      .panel_int4 = portable::panel_int4,
      .quantize_row = portable::quantize_row,
      .rms_norm_row = portable::rms_norm_row,
      .attend = portable::attend,
      .silu_mul = portable::silu_mul,
  };
  return table;
}

}  // namespace ink
