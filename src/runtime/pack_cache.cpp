// See runtime/pack_cache.h. Files are called NAME.KEY.pack, NAME after the model for people to see.
#include "runtime/pack_cache.h"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>

#include "base/xdg_folder.h"

namespace ink {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".pack";
constexpr size_t kKeyDigits = 16;
constexpr uint64_t kSampleBytes = 4096;
constexpr uint64_t kSamples = 64;
constexpr uint64_t kLongestName = 80;

// FNV-1a: tells files apart, and keeps no secret.
class SampleDigest {
 public:
  void add(std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) state_ = (state_ ^ static_cast<uint8_t>(byte)) * 0x100000001b3;
  }
  void add(std::string_view text) { add(std::as_bytes(std::span(text))); }
  void add(uint64_t number) { add(std::as_bytes(std::span(&number, 1))); }
  std::string text() const {
    constexpr std::string_view kHexadecimal = "0123456789abcdef";
    std::string digits;
    for (int shift = 60; shift >= 0; shift -= 4) digits += kHexadecimal[state_ >> shift & 15];
    return digits;
  }

 private:
  uint64_t state_ = 0xcbf29ce484222325;
};

// Of what the tensors hold, spread over the whole: a file that was changed in place has another time, and
// this is for those that have not.
void add_samples(const Checkpoint& checkpoint, SampleDigest& digest) {
  uint64_t total = 0;
  for (const FileTensor& tensor : checkpoint.tensors()) total += tensor.bytes.size();
  const uint64_t step = std::max(kSampleBytes, total / kSamples);
  uint64_t next = 0;
  uint64_t place = 0;
  for (const FileTensor& tensor : checkpoint.tensors()) {
    for (; next < place + tensor.bytes.size(); next += step) {
      const auto rest = tensor.bytes.subspan(next - place);
      digest.add(rest.first(std::min<uint64_t>(rest.size(), kSampleBytes)));
    }
    place += tensor.bytes.size();
  }
}

std::optional<std::string> source_key(const Checkpoint& checkpoint, Arithmetic arithmetic) {
  SampleDigest digest;
  digest.add(arithmetic == Arithmetic::kExact ? "exact" : "fast");
  for (const fs::path& path : checkpoint.files()) {
    struct stat status = {};
    std::error_code error;
    const fs::path whole = fs::canonical(path, error);
    if (error || ::stat(whole.c_str(), &status) != 0) return std::nullopt;
    digest.add(whole.string());
    digest.add(static_cast<uint64_t>(status.st_size));
    digest.add(static_cast<uint64_t>(status.st_mtim.tv_sec));
    digest.add(static_cast<uint64_t>(status.st_mtim.tv_nsec));
  }
  for (const FileTensor& tensor : checkpoint.tensors()) {
    digest.add(tensor.name);
    digest.add(static_cast<uint64_t>(tensor.dtype));
    for (const int64_t size : tensor.shape) digest.add(static_cast<uint64_t>(size));
  }
  add_samples(checkpoint, digest);
  return digest.text();
}

std::string plain_name(const std::string& name) {
  std::string plain = name.substr(0, kLongestName);
  for (char& c : plain) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_' && c != '.') c = '_';
  }
  return plain;
}

}  // namespace

fs::path pack_cache_folder() {
  const fs::path cache = xdg_folder("XDG_CACHE_HOME", ".cache");
  return cache.empty() ? cache : cache / "inkstone" / "packed";
}

std::optional<PackedPlace> pack_cache_place(const fs::path& folder, const Checkpoint& checkpoint,
                                            Arithmetic arithmetic, uint64_t packed_bytes) {
  if (folder.empty() || checkpoint.files().empty() || packed_bytes < kLeastCachedBytes) return std::nullopt;
  std::error_code error;
  if (fs::create_directories(folder, error); error) return std::nullopt;
  fs::permissions(folder, fs::perms::owner_all, error);
  const auto key = source_key(checkpoint, arithmetic);
  if (!key) return std::nullopt;
  return PackedPlace{folder / (plain_name(checkpoint.name()) + "." + *key + std::string(kEnding)), *key, {}};
}

bool make_room_in_pack_cache(const fs::path& folder, uint64_t bytes) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  if (error || space.available / 2 < bytes || bytes > kMostCachedBytes) return false;
  std::vector<CachedPack> files = list_pack_cache(folder);
  uint64_t total = bytes;
  for (const CachedPack& file : files) total += file.bytes;
  for (; total > kMostCachedBytes && !files.empty(); files.pop_back()) {
    fs::remove(files.back().path, error);
    total -= files.back().bytes;
  }
  return true;
}

void touch_packed_file(const fs::path& path) {
  std::error_code ignored;
  fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
}

std::vector<CachedPack> list_pack_cache(const fs::path& folder) {
  std::vector<CachedPack> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    std::error_code ignored;
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(kEnding) || !entry.is_regular_file(ignored)) continue;
    const size_t tail = kKeyDigits + 1 + kEnding.size();
    const std::string model = name.size() > tail ? name.substr(0, name.size() - tail) : name;
    files.push_back({entry.path(), model, entry.file_size(ignored), entry.last_write_time(ignored)});
  }
  std::sort(files.begin(), files.end(),
            [](const CachedPack& a, const CachedPack& b) { return a.used > b.used; });
  return files;
}

uint64_t clear_pack_cache(const fs::path& folder) {
  uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    // What a program that was killed left unfinished, too.
    if (entry.path().filename().string().find(kEnding) == std::string::npos) continue;
    std::error_code ignored;
    const uint64_t size = entry.file_size(ignored);
    if (fs::remove(entry.path(), ignored)) bytes += size;
  }
  return bytes;
}

}  // namespace ink
