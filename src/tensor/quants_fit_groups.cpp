// See tensor/quants_fit_groups.h.
#include "tensor/quants_fit_groups.h"

namespace ink::fit {

AffineSums measure_affine(const float* x, const float* w, int count, float top, float scale, float minimum) {
  const Lanes scales = all(scale), minima = all(minimum), inverse = all(inverse_of(scale));
  Lanes error{}, values{}, codes{}, code_code{}, value_code{};
  for (int i = 0; i < count; i += kLanes) {
    const Lanes value = load(x + i), weight = load(w + i);
    const Lanes code = nearest_whole((value + minima) * inverse, 0.0f, top);
    const Lanes difference = value - (scales * code - minima);
    error += weight * difference * difference;
    values += weight * value;
    codes += weight * code;
    code_code += weight * code * code;
    value_code += weight * value * code;
  }
  return {total(error), total(values), total(codes), total(code_code), total(value_code)};
}

void take_codes(const float* x, int count, float top, float scale, float minimum, uint8_t* codes) {
  const Lanes minima = all(minimum), inverse = all(inverse_of(scale));
  for (int i = 0; i < count; i += kLanes) {
    const Lanes code = nearest_whole((load(x + i) + minima) * inverse, 0.0f, top);
    for (int k = 0; k < kLanes; ++k) codes[i + k] = static_cast<uint8_t>(code[k]);
  }
}

AffineFit solve_affine(const AffineSums& sums, double weight, bool any_sign) {
  AffineFit fit;
  const double determinant = sums.code_code * weight - sums.code * sums.code;
  // Codes that are all the same leave the scale open.
  if (determinant > 1e-9 * sums.code_code * weight) {
    fit.scale = static_cast<float>((sums.value_code * weight - sums.value * sums.code) / determinant);
    fit.minimum =
        static_cast<float>((sums.value_code * sums.code - sums.value * sums.code_code) / determinant);
  }
  if (!any_sign && fit.minimum <= 0.0f) {
    fit.minimum = 0.0f;
    fit.scale = sums.code_code > 0 ? static_cast<float>(sums.value_code / sums.code_code) : 0.0f;
  }
  return fit;
}

AffineFit fit_affine(const float* x, const float* w, int count, float top, bool as_half) {
  constexpr int kTurns = 3;
  // How many steps the range of the values is cut into, less than the format has: the ends are then clipped.
  constexpr float kFewer[] = {-0.4f, 0.0f, 0.6f, 1.2f, 2.0f, 3.0f};
  float low = x[0], high = x[0];
  double weight = 0;
  for (int i = 0; i < count; ++i) {
    low = std::min(low, x[i]);
    high = std::max(high, x[i]);
    weight += w[i];
  }
  if (!as_half) low = std::min(low, 0.0f);
  AffineFit best{0.0f, -low,
                 measure_affine(x, w, count, top, 0.0f, as_half ? stored_half(-low) : -low).error};
  if (as_half) best.minimum = stored_half(best.minimum);
  if (!(high > low)) return best;
  for (const float fewer : kFewer) {
    const float scale = (high - low) / (top - fewer);
    for (const float clipped_steps : {0.0f, fewer / 2}) {
      AffineFit tried{scale, -low - clipped_steps * scale, 0.0f};
      if (!as_half) tried.minimum = std::max(tried.minimum, 0.0f);
      for (int turn = 0; turn < kTurns; ++turn) {
        if (as_half) tried = {stored_half(tried.scale), stored_half(tried.minimum), 0.0f};
        const AffineSums sums = measure_affine(x, w, count, top, tried.scale, tried.minimum);
        tried.error = sums.error;
        if (tried.error < best.error) best = tried;
        const AffineFit next = solve_affine(sums, weight, as_half);
        if (!(next.scale > 0.0f) || (next.scale == tried.scale && next.minimum == tried.minimum)) break;
        tried = next;
      }
    }
  }
  return best;
}

}  // namespace ink::fit
