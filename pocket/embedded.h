// The model that the program carries: a GGUF file as bytes in the program's read-only data. The runtime opens
// it as it opens any file; nothing in the engine knows that it is special.
#pragma once

#include <cstddef>
#include <span>

namespace ink::pocket {

inline constexpr const char* kAssistantName = "pocket-assistant";

// The GGUF file pocket/assistant/assistant.gguf, as it was when the program was built. Aligned to 64 bytes.
std::span<const std::byte> assistant();

}  // namespace ink::pocket
