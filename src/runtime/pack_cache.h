// Where the packed forms of models are kept ($XDG_CACHE_HOME/inkstone/packed), and which of them belong to
// which model files: by the path, size and time of each file and a digest of samples of its content. The
// folder is bounded; what was not used for longest goes first. Everything here may fail without harm: then
// the model is packed in memory, as it would be without a cache.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kernels/pack.h"
#include "models/packed_file.h"
#include "tensor/checkpoint.h"

namespace ink {

// Smaller models are packed faster than a file is found.
inline constexpr uint64_t kLeastCachedBytes = uint64_t{64} << 20;
inline constexpr uint64_t kMostCachedBytes = uint64_t{32} << 30;  // of all files together

// Empty when the environment names no home.
std::filesystem::path pack_cache_folder();

// The place for this checkpoint in `folder`, which is made if it is not there. Nothing for a checkpoint that
// is no file, for a small one, or where the folder cannot be made.
std::optional<PackedPlace> pack_cache_place(const std::filesystem::path& folder, const Checkpoint& checkpoint,
                                            Arithmetic arithmetic, uint64_t packed_bytes);

// Makes room for a new file of `bytes`: removes the least recently used until all fit into kMostCachedBytes.
// False when the disk has not twice as much free; then nothing is removed or written.
bool make_room_in_pack_cache(const std::filesystem::path& folder, uint64_t bytes);
// The file was used now.
void touch_packed_file(const std::filesystem::path& path);

struct CachedPack {
  std::filesystem::path path;
  std::string model;  // the name of its source
  uint64_t bytes = 0;
  std::filesystem::file_time_type used;
};
std::vector<CachedPack> list_pack_cache(const std::filesystem::path& folder);  // the latest used first
// Removes all files; returns how many bytes they had.
uint64_t clear_pack_cache(const std::filesystem::path& folder);

}  // namespace ink
