// The memory of the machine, as far as this process may have it: a container's limit counts as well.
#pragma once

#include <cstdint>
#include <string>

namespace ink {

// Bytes that can be had now without swapping: the system's estimate, or what a container's limit leaves.
uint64_t available_memory_bytes();

// All of it, free or not.
uint64_t total_memory_bytes();

// "1234 MB", rounded up.
std::string megabytes_text(uint64_t bytes);

}  // namespace ink
