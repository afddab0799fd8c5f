// Finds the files of a checkpoint and joins them: a single file, the parts of a split GGUF, the shards of a
// safetensors index. Every part is read before anything is returned; a missing one is named. Only files in
// the folder of the path that the caller gave are opened.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "tensor/checkpoint.h"
#include "tensor/checkpoint_checks.h"
#include "tensor/gguf.h"
#include "tensor/safetensors.h"

namespace ink {

namespace fs = std::filesystem;

namespace {

// NAME-00002-of-00005.gguf
struct SplitName {
  std::string stem;
  int number = 0;  // from 1
  int count = 0;

  std::string part(int which) const {
    char tail[40];
    std::snprintf(tail, sizeof tail, "-%05d-of-%05d.gguf", which, count);
    return stem + tail;
  }
};

std::optional<SplitName> parse_split_name(const std::string& file_name) {
  constexpr std::string_view kPattern = "-00000-of-00000.gguf";  // 0 stands for a digit
  if (file_name.size() < kPattern.size()) return std::nullopt;
  const std::string_view tail = std::string_view(file_name).substr(file_name.size() - kPattern.size());
  for (size_t i = 0; i < tail.size(); ++i) {
    const bool matches = kPattern[i] == '0' ? tail[i] >= '0' && tail[i] <= '9' : tail[i] == kPattern[i];
    if (!matches) return std::nullopt;
  }
  SplitName name;
  name.stem = file_name.substr(0, file_name.size() - kPattern.size());
  name.number = std::stoi(std::string(tail.substr(1, 5)));
  name.count = std::stoi(std::string(tail.substr(10, 5)));
  return name;
}

// Above std::filesystem so that no exception can leave: a listing may fail at any step.
Result<std::vector<std::string>> files_in(const fs::path& folder) {
  std::error_code code;
  std::vector<std::string> names;
  for (fs::directory_iterator item(folder, code), end; !code && item != end; item.increment(code)) {
    names.push_back(item->path().filename().string());
  }
  if (code) return Error{ErrorKind::kIo, folder.string(), "", "cannot list: " + code.message(), ""};
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

// Collects files and tensors into a Checkpoint.
struct CheckpointBuilder {
  Checkpoint checkpoint;

  CheckpointBuilder(CheckpointFormat format, std::string name, fs::path folder) {
    checkpoint.format_ = format;
    checkpoint.name_ = std::move(name);
    checkpoint.folder_ = std::move(folder);
  }

  Result<std::span<const std::byte>> map(const fs::path& path) {
    auto file = MappedFile::open(path);
    if (!file.ok()) return file.error();
    checkpoint.size_bytes_ += (*file)->bytes().size();
    checkpoint.files_.push_back(std::move(*file));
    checkpoint.paths_.push_back(path);
    return checkpoint.files_.back()->bytes();
  }

  void add(std::vector<FileTensor> tensors) {
    auto& all = checkpoint.tensors_;
    all.insert(all.end(), std::make_move_iterator(tensors.begin()), std::make_move_iterator(tensors.end()));
  }

  // Builds the index; refuses a name that occurs twice, in one file or in two.
  Result<Checkpoint> finish() {
    checkpoint.index_.reserve(checkpoint.tensors_.size());
    for (size_t i = 0; i < checkpoint.tensors_.size(); ++i) {
      const std::string& tensor_name = checkpoint.tensors_[i].name;
      if (!checkpoint.index_.emplace(tensor_name, i).second) {
        return Error{ErrorKind::kInvalid, tensor_place(checkpoint.name_, tensor_name),
                     "each tensor name once", "this one twice", ""};
      }
    }
    return std::move(checkpoint);
  }

  Result<Checkpoint> open_gguf(const fs::path& path);
  Status add_gguf_parts(const SplitName& split, int64_t count);
  Result<Checkpoint> open_safetensors(const fs::path& path);
  Result<Checkpoint> open_index(const fs::path& path);
  Result<Checkpoint> from_bytes(std::span<const std::byte> bytes);
};

Result<Checkpoint> CheckpointBuilder::open_gguf(const fs::path& path) {
  const std::string file_name = path.filename().string();
  const auto bytes = map(path);
  if (!bytes.ok()) return bytes.error();
  auto file = parse_gguf(*bytes, file_name);
  if (!file.ok()) return file.error();
  checkpoint.metadata_ = std::move(file->metadata);
  checkpoint.encoded_metadata_ = std::move(file->encoded_metadata);
  const int64_t count = checkpoint.meta_int("split.count").value_or(1);
  if (count <= 1) {
    add(std::move(file->tensors));
    return finish();
  }
  const auto split = parse_split_name(file_name);
  if (!split || split->count != count || split->number < 1 || split->number > count) {
    return Error{ErrorKind::kInvalid, file_name,
                 "a name like model-00001-of-00002.gguf for a file in " + std::to_string(count) + " parts",
                 printable(file_name), "give the parts back their names"};
  }
  checkpoint.files_.clear();
  checkpoint.paths_.clear();
  checkpoint.size_bytes_ = 0;
  checkpoint.encoded_metadata_.clear();
  checkpoint.name_ = split->stem + ".gguf";
  if (auto added = add_gguf_parts(*split, count); !added.ok()) return added.error();
  return finish();
}

Status CheckpointBuilder::add_gguf_parts(const SplitName& split, int64_t count) {
  for (int number = 1; number <= count; ++number) {
    const std::string part = split.part(number);
    const auto bytes = map(checkpoint.folder_ / part);
    if (!bytes.ok()) {
      Error error = bytes.error();
      error.advice = "part " + std::to_string(number) + " of " + std::to_string(count) + " of this model";
      return error;
    }
    auto file = parse_gguf(*bytes, part);
    if (!file.ok()) return file.error();
    std::swap(checkpoint.metadata_, file->metadata);
    const auto part_number = checkpoint.meta_int("split.no");
    const auto part_count = checkpoint.meta_int("split.count");
    if (part_number != number - 1 || part_count != count) {
      const auto text = [](std::optional<int64_t> value) { return value ? std::to_string(*value) : "none"; };
      return Error{ErrorKind::kInvalid, part,
                   "split.no " + std::to_string(number - 1) + " and split.count " + std::to_string(count),
                   text(part_number) + " and " + text(part_count), ""};
    }
    if (number > 1) std::swap(checkpoint.metadata_, file->metadata);  // the first part's counts
    if (number == 1) checkpoint.encoded_metadata_ = std::move(file->encoded_metadata);
    add(std::move(file->tensors));
  }
  const auto total = checkpoint.meta_int("split.tensors.count");
  if (total && *total != static_cast<int64_t>(checkpoint.tensors_.size())) {
    return Error{ErrorKind::kInvalid, checkpoint.name_, std::to_string(*total) + " tensors in all parts",
                 std::to_string(checkpoint.tensors_.size()), ""};
  }
  return Done{};
}

Result<Checkpoint> CheckpointBuilder::open_safetensors(const fs::path& path) {
  const auto bytes = map(path);
  if (!bytes.ok()) return bytes.error();
  auto tensors = parse_safetensors(*bytes, path.filename().string());
  if (!tensors.ok()) return tensors.error();
  add(std::move(*tensors));
  return finish();
}

Result<Checkpoint> CheckpointBuilder::open_index(const fs::path& path) {
  const std::string index_name = path.filename().string();
  const auto text = read_text_file(path, kMaxSideFileBytes);
  if (!text.ok()) return text.error();
  const auto index = parse_safetensors_index(*text, index_name);
  if (!index.ok()) return index.error();
  for (const auto& [file_name, wanted] : *index) {
    const auto bytes = map(checkpoint.folder_ / file_name);
    if (!bytes.ok()) {
      Error error = bytes.error();
      error.advice = index_name + " names it";
      return error;
    }
    auto tensors = parse_safetensors(*bytes, file_name);
    if (!tensors.ok()) return tensors.error();
    std::vector<std::string_view> present;
    for (const FileTensor& tensor : *tensors) present.push_back(tensor.name);
    std::sort(present.begin(), present.end());
    for (const std::string& tensor_name : wanted) {
      if (!std::binary_search(present.begin(), present.end(), tensor_name)) {
        return Error{ErrorKind::kNotFound, tensor_place(file_name, tensor_name),
                     "the tensor that " + index_name + " places here", "no such tensor", ""};
      }
    }
    add(std::move(*tensors));
  }
  return finish();
}

Result<Checkpoint> CheckpointBuilder::from_bytes(std::span<const std::byte> bytes) {
  auto file = parse_gguf(bytes, checkpoint.name_);
  if (!file.ok()) return file.error();
  checkpoint.metadata_ = std::move(file->metadata);
  checkpoint.encoded_metadata_ = std::move(file->encoded_metadata);
  checkpoint.size_bytes_ = bytes.size();
  if (checkpoint.meta_int("split.count").value_or(1) > 1) {
    return Error{ErrorKind::kUnsupported, checkpoint.name_, "a whole GGUF file", "one part of a split file",
                 ""};
  }
  add(std::move(file->tensors));
  return finish();
}

namespace {

// The weight file that stands for a folder.
Result<fs::path> choose_in_folder(const fs::path& folder) {
  const auto names = files_in(folder);
  if (!names.ok()) return names.error();
  const auto has = [&](const char* name) {
    return std::find(names->begin(), names->end(), name) != names->end();
  };
  for (const char* usual : {"model.safetensors", "model.safetensors.index.json"}) {
    if (has(usual)) return folder / usual;
  }
  for (const char* extension : {".gguf", ".safetensors"}) {
    std::vector<std::string> candidates;
    for (const std::string& name : *names) {
      const auto split = parse_split_name(name);
      if (name.ends_with(extension) && (!split || split->number == 1)) candidates.push_back(name);
    }
    if (candidates.size() == 1) return folder / candidates.front();
    if (candidates.size() > 1) {
      return Error{ErrorKind::kInvalid, folder.string(), std::string("one ") + extension + " file",
                   std::to_string(candidates.size()) + " of them, such as " + printable(candidates[0]) +
                       " and " + printable(candidates[1]),
                   "name the file"};
    }
  }
  return Error{ErrorKind::kNotFound, folder.string(),
               "model.safetensors, model.safetensors.index.json or one .gguf file", "none of them", ""};
}

// Whether the file starts with GGUF's magic, whatever it is called (a blob of a model store has no
// extension).
Result<bool> has_gguf_magic(const fs::path& path) {
  const auto file = MappedFile::open(path);
  if (!file.ok()) return file.error();
  const auto bytes = (*file)->bytes();
  return bytes.size() >= 4 && std::memcmp(bytes.data(), "GGUF", 4) == 0;
}

}  // namespace

Result<Checkpoint> Checkpoint::open(const fs::path& given) {
  std::error_code code;
  const bool is_folder = fs::is_directory(given, code);
  const auto chosen = is_folder ? choose_in_folder(given) : Result<fs::path>(given);
  if (!chosen.ok()) return chosen.error();
  const fs::path& path = *chosen;
  const fs::path named = is_folder && !given.has_filename() ? given.parent_path() : given;
  const fs::path parent = path.parent_path();
  const auto builder = [&](CheckpointFormat format) {
    return CheckpointBuilder(format, named.filename().string(), parent.empty() ? fs::path(".") : parent);
  };
  const std::string file_name = path.filename().string();
  if (file_name.ends_with(".safetensors"))
    return builder(CheckpointFormat::kSafetensors).open_safetensors(path);
  if (file_name.ends_with(".safetensors.index.json"))
    return builder(CheckpointFormat::kSafetensors).open_index(path);
  const auto is_gguf = has_gguf_magic(path);
  if (!is_gguf.ok()) return is_gguf.error();
  if (*is_gguf || file_name.ends_with(".gguf")) return builder(CheckpointFormat::kGguf).open_gguf(path);
  return Error{ErrorKind::kUnsupported, path.string(), "a GGUF or safetensors file or a folder with one",
               "a file of another kind", ""};
}

Result<Checkpoint> Checkpoint::from_gguf_bytes(std::span<const std::byte> bytes, std::string name) {
  return CheckpointBuilder(CheckpointFormat::kGguf, std::move(name), {}).from_bytes(bytes);
}

Result<Checkpoint> Checkpoint::from_safetensors_bytes(std::span<const std::byte> bytes, std::string name) {
  auto tensors = parse_safetensors(bytes, name);
  if (!tensors.ok()) return tensors.error();
  CheckpointBuilder builder(CheckpointFormat::kSafetensors, std::move(name), {});
  builder.checkpoint.size_bytes_ = bytes.size();
  builder.add(std::move(*tensors));
  return builder.finish();
}

}  // namespace ink
