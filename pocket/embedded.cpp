// See pocket/embedded.h; the two symbols are defined in pocket/embedded.S.
#include "pocket/embedded.h"

extern "C" {
extern const std::byte ink_pocket_assistant_begin[];
extern const std::byte ink_pocket_assistant_end[];
}

namespace ink::pocket {

std::span<const std::byte> assistant() { return {ink_pocket_assistant_begin, ink_pocket_assistant_end}; }

}  // namespace ink::pocket
