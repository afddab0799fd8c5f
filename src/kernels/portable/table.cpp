// The portable functions as a table.
#include "kernels/portable/portable.h"

namespace ink {

const KernelTable& portable_kernels() {
  static const KernelTable table = [] {
    KernelTable made = {};
    made.name = "portable";
    made.panel_f32 = portable::panel_f32;
    made.panel_f16 = portable::panel_f16;
    made.panel_bf16 = portable::panel_bf16;
    portable::install_integer_panels(made);
    made.quantize_row = portable::quantize_row;
    made.rms_norm_row = portable::rms_norm_row;
    made.attend_floats = portable::attend_floats;
    made.attend_integers = portable::attend_integers;
    made.to_f16 = portable::to_f16;
    made.rotate_row = portable::rotate_row;
    made.round_row = portable::round_row;
    made.silu_mul = portable::silu_mul;
    return made;
  }();
  return table;
}

}  // namespace ink
