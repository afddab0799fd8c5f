// See services/library/model_finder.h.
#include "services/library/model_finder.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "base/mapped_file.h"
#include "base/xdg_folder.h"
#include "pocket/embedded.h"
#include "services/library/model_names.h"

namespace ink {
namespace {

namespace fs = std::filesystem;

constexpr int kDepth = 3;  // folders below a place
constexpr size_t kMostEntries =
    20'000;  // in one search; a home folder given by mistake must not take minutes

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// NAME-00002-of-00005.gguf is found through its first part.
bool is_later_part(const std::string& stem) {
  constexpr size_t kTail = 15;  // "-00002-of-00005"
  if (stem.size() < kTail) return false;
  const std::string tail = stem.substr(stem.size() - kTail);
  return tail.substr(6, 4) == "-of-" && tail[0] == '-' && tail.substr(1, 5) != "00001";
}

uint64_t size_of(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : size;
}

// The folder as a safetensors model, if it is one.
std::optional<FoundModel> folder_model(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_regular_file(folder / "config.json", error)) return std::nullopt;
  FoundModel model{folder.filename().string(), folder, "", "safetensors", 0};
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".safetensors" && entry.is_regular_file(error))
      model.bytes += size_of(entry.path());
  }
  return model.bytes > 0 ? std::optional(model) : std::nullopt;
}

struct Search {
  std::vector<FoundModel> found;
  size_t entries = 0;

  void look_in(const fs::path& folder, int depth) {
    if (auto model = folder_model(folder)) found.push_back(*model);
    std::error_code error;
    for (const auto& entry :
         fs::directory_iterator(folder, fs::directory_options::skip_permission_denied, error)) {
      if (++entries > kMostEntries) return;
      const fs::path& path = entry.path();
      if (path.filename().string().starts_with('.')) continue;
      std::error_code ignored;
      if (entry.is_directory(ignored)) {
        if (depth > 0) look_in(path, depth - 1);
      } else if (path.extension() == ".gguf" && !is_later_part(path.stem().string())) {
        found.push_back({path.stem().string(), path, "", "gguf", size_of(path)});
      }
    }
  }
};

std::vector<FoundModel> search(const fs::path& folder, const std::string& place, int depth) {
  std::error_code error;
  if (folder.empty() || !fs::is_directory(folder, error)) return {};
  Search search;
  search.look_in(folder, depth);
  for (auto& model : search.found) model.place = place;
  std::sort(search.found.begin(), search.found.end(),
            [](const FoundModel& a, const FoundModel& b) { return a.name < b.name; });
  return search.found;
}

// models--ORG--NAME/snapshots/REVISION: the revision that refs/main names, else any.
fs::path snapshot_of(const fs::path& repository) {
  std::error_code error;
  if (const auto main = read_text_file(repository / "refs/main", 100); main.ok()) {
    std::string revision = *main;
    while (!revision.empty() && revision.back() == '\n') revision.pop_back();
    if (revision.find('/') == std::string::npos &&
        fs::is_directory(repository / "snapshots" / revision, error))
      return repository / "snapshots" / revision;
  }
  for (const auto& entry : fs::directory_iterator(repository / "snapshots", error)) return entry.path();
  return {};
}

std::vector<FoundModel> search_huggingface() {
  std::vector<FoundModel> all;
  fs::path hub = environment("HF_HUB_CACHE");
  if (hub.empty() && !environment("HF_HOME").empty()) hub = fs::path(environment("HF_HOME")) / "hub";
  if (hub.empty()) hub = xdg_folder("XDG_CACHE_HOME", ".cache") / "huggingface/hub";
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(hub, error)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with("models--")) continue;
    name = name.substr(8);
    if (const size_t dashes = name.find("--"); dashes != std::string::npos) name.replace(dashes, 2, "/");
    for (auto& model : search(snapshot_of(entry.path()), "huggingface", 1)) {
      model.name = model.format == "gguf" ? name + "/" + model.name : name;
      all.push_back(model);
    }
  }
  std::sort(all.begin(), all.end(), [](const FoundModel& a, const FoundModel& b) { return a.name < b.name; });
  return all;
}

}  // namespace

std::vector<FoundModel> find_models() {
  std::vector<FoundModel> all;
  all.push_back({pocket::kAssistantName, {}, "embedded", "gguf", pocket::assistant().size()});
  const auto append = [&](std::vector<FoundModel> more) { all.insert(all.end(), more.begin(), more.end()); };
  append(search(".", "folder", 1));
  const std::string places = environment("INKSTONE_MODELS");
  for (size_t begin = 0; begin < places.size();) {
    const size_t end = std::min(places.find(':', begin), places.size());
    append(search(places.substr(begin, end - begin), "INKSTONE_MODELS", kDepth));
    begin = end + 1;
  }
  const fs::path data = xdg_folder("XDG_DATA_HOME", ".local/share");
  if (!data.empty()) append(search(data / "inkstone/models", "data", kDepth));
  append(search_huggingface());
  return all;
}

Result<Checkpoint> open_found(const FoundModel& model) {
  if (model.path.empty()) return Checkpoint::from_gguf_bytes(pocket::assistant(), pocket::kAssistantName);
  return Checkpoint::open(model.path);
}

Result<FoundModel> find_model(const std::string& name) {
  const auto models = find_models();
  return name.empty() ? models.front() : match_model(models, name);
}

Result<FoundModel> find_model_or_path(const std::string& model) {
  std::error_code error;
  if (model.empty() || model == pocket::kAssistantName || !fs::exists(model, error)) {
    auto found = find_model(model);
    if (found.ok()) return found;
    Error unknown = found.error();
    unknown.wanted = "a path, or " + unknown.wanted;
    return unknown;
  }
  fs::path path = fs::absolute(model, error).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "models/"
  const bool is_folder = fs::is_directory(path, error);
  return FoundModel{(is_folder ? path.filename() : path.stem()).string(), path, "path",
                    path.extension() == ".gguf" ? "gguf" : "safetensors", is_folder ? 0 : size_of(path)};
}

Result<Checkpoint> open_model(const std::string& model) {
  const auto found = find_model_or_path(model);
  return found.ok() ? open_found(*found) : found.error();
}

}  // namespace ink
