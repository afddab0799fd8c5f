// Where merging starts: the bytes of the word. See text/byte_pair.h.
#include "text/byte_pair.h"
namespace ink {
void BytePair::find_seeds(std::span<const Merge>) {}
void BytePair::append_seeds(std::string_view word, std::vector<int32_t>& ids) const {
  for (const char c : word) ids.push_back(byte_ids_[static_cast<unsigned char>(c)]);
}
}  // namespace ink
