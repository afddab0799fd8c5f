// See tensor/checkpoint_checks.h.
#include "tensor/checkpoint_checks.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <tuple>

#include "base/utf8.h"

namespace ink {

std::string printable(std::string_view text) {
  constexpr size_t kMaxBytes = 120;
  std::string out;
  for (size_t i = 0; i < text.size();) {
    if (out.size() >= kMaxBytes) return out + "...";
    const Utf8Char c = decode_utf8(text, i);
    // Controls (C0, DEL, C1) and the marks that reorder or hide text are shown as bytes.
    const bool visible = c.size_bytes > 0 && c.code_point >= 0x20 &&
                         !(c.code_point >= 0x7f && c.code_point < 0xa0) &&
                         !(c.code_point >= 0x200b && c.code_point <= 0x200f) &&
                         !(c.code_point >= 0x2028 && c.code_point <= 0x202e) &&
                         !(c.code_point >= 0x2060 && c.code_point <= 0x206f) && c.code_point != 0xfeff;
    const size_t count = c.size_bytes > 0 ? static_cast<size_t>(c.size_bytes) : 1;
    if (visible) {
      out += text.substr(i, count);
    } else {
      for (size_t k = i; k < i + count; ++k) {
        char escape[8];
        std::snprintf(escape, sizeof escape, "\\x%02x",
                      static_cast<unsigned>(static_cast<unsigned char>(text[k])));
        out += escape;
      }
    }
    i += count;
  }
  return out;
}

std::string tensor_place(const std::string& file_name, std::string_view tensor_name) {
  return file_name + ": tensor " + printable(tensor_name);
}

std::vector<size_t> order_of_bytes(const std::vector<FileTensor>& tensors) {
  std::vector<size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const auto& x = tensors[a].bytes;
    const auto& y = tensors[b].bytes;
    return std::tuple(x.data(), x.size(), a) < std::tuple(y.data(), y.size(), b);
  });
  return order;
}

Status check_no_overlap(const std::vector<FileTensor>& tensors, const std::byte* data_start,
                        const std::string& file_name) {
  const FileTensor* previous = nullptr;
  for (const size_t i : order_of_bytes(tensors)) {
    const FileTensor& tensor = tensors[i];
    if (previous != nullptr && tensor.bytes.data() < previous->bytes.data() + previous->bytes.size()) {
      const auto offset = [&](const std::byte* byte) { return std::to_string(byte - data_start); };
      return Error{ErrorKind::kInvalid, tensor_place(file_name, tensor.name),
                   "data that no other tensor uses: offset " +
                       offset(previous->bytes.data() + previous->bytes.size()) + " or more",
                   "offset " + offset(tensor.bytes.data()) + ", inside tensor " + printable(previous->name),
                   ""};
    }
    previous = &tensor;
  }
  return Done{};
}

}  // namespace ink
