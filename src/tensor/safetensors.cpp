// See tensor/safetensors.h.
#include "tensor/safetensors.h"

#include <cstring>
#include <limits>
#include <optional>

#include "base/checked.h"
#include "base/utf8.h"
#include "tensor/checkpoint_checks.h"

namespace ink {
namespace {

// Everything the JSON reader may report, refused; the two handlers below allow what their file may contain.
class StrictEvents {
 public:
  explicit StrictEvents(std::string name) : name_(std::move(name)) {}

  bool null() { return other("null"); }
  bool boolean(bool) { return other("a boolean"); }
  bool number_integer(int64_t value) { return other(std::to_string(value)); }
  bool number_unsigned(uint64_t value) { return other(std::to_string(value)); }
  bool number_float(double, const std::string& text) { return other(printable(text)); }
  bool string(std::string& text) { return other("'" + printable(text) + "'"); }
  bool binary(Json::binary_t&) { return other("binary data"); }
  bool start_array(size_t) { return other("an array"); }
  bool end_array() { return true; }
  bool parse_error(size_t position, const std::string& near, const nlohmann::detail::exception&) {
    place_ = "header";
    return refuse("valid JSON", "an error at its byte " + std::to_string(position) + " near '" +
                                    printable(near.substr(0, 40)) + "'");
  }
  const Error& error() const { return error_; }

 protected:
  bool refuse(std::string wanted, std::string got, ErrorKind kind = ErrorKind::kInvalid,
              std::string advice = "") {
    error_ = Error{kind, name_ + ": " + place_, std::move(wanted), std::move(got), std::move(advice)};
    return false;
  }
  bool other(std::string got) { return refuse(wanted_, std::move(got)); }

  std::string name_;
  std::string place_ = "header";
  std::string wanted_ = "an object";  // what may come next, for messages

 private:
  Error error_;
};

struct Entry {
  std::string name;
  std::optional<std::string> dtype;
  std::optional<std::vector<uint64_t>> shape;
  std::optional<std::vector<uint64_t>> data_offsets;
};

// { "NAME": {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}, "__metadata__": {"..": ".."} }
class HeaderEvents : public StrictEvents {
 public:
  using StrictEvents::StrictEvents;
  std::vector<Entry> entries;

  bool start_object(size_t) {
    if (depth_ > 0 && (depth_ > 1 || !(in_metadata_ || entry_))) return other("an object");
    ++depth_;
    return true;
  }
  bool key(std::string& text) {
    if (depth_ == 1) return start_entry(text);
    field_ = nullptr;
    if (in_metadata_) return true;
    wants_dtype_ = text == "dtype" && !entry_->dtype;
    wanted_ = wants_dtype_ ? "a string" : "an array of numbers";
    if (text == "shape" && !entry_->shape) field_ = &entry_->shape.emplace();
    if (text == "data_offsets" && !entry_->data_offsets) field_ = &entry_->data_offsets.emplace();
    if (wants_dtype_ || field_ != nullptr) return true;
    return refuse("dtype, shape and data_offsets, each once", "'" + printable(text) + "'");
  }
  bool string(std::string& text) {
    if (depth_ == 2 && in_metadata_) return true;
    if (depth_ != 2 || !wants_dtype_) return other("'" + printable(text) + "'");
    entry_->dtype = text;
    wants_dtype_ = false;
    return true;
  }
  bool start_array(size_t) {
    if (depth_ != 2 || field_ == nullptr || in_array_) return other("an array");
    in_array_ = true;
    wanted_ = "numbers";
    return true;
  }
  bool end_array() {
    in_array_ = false;
    field_ = nullptr;
    return true;
  }
  bool number_unsigned(uint64_t value) {
    if (!in_array_) return other(std::to_string(value));
    if (field_->size() >= kMaxSafetensorsDimensions)
      return refuse("at most " + std::to_string(kMaxSafetensorsDimensions) + " numbers", "more");
    field_->push_back(value);
    return true;
  }
  bool end_object() {
    --depth_;
    if (depth_ == 1 && !in_metadata_) {
      if (!entry_->dtype || !entry_->shape || !entry_->data_offsets)
        return refuse("dtype, shape and data_offsets", "not all of them");
      entries.push_back(std::move(*entry_));
    }
    entry_.reset();
    in_metadata_ = false;
    return true;
  }

 private:
  bool start_entry(const std::string& text) {
    place_ = "tensor " + printable(text);
    wanted_ = "an object";
    if (text == "__metadata__") {
      place_ = "__metadata__";
      wanted_ = "strings";
      if (seen_metadata_) return refuse("this key once", "twice");
      in_metadata_ = seen_metadata_ = true;
      return true;
    }
    if (text.empty() || text.size() > kMaxTensorNameBytes) {
      return refuse("a name of 1 to " + std::to_string(kMaxTensorNameBytes) + " bytes",
                    std::to_string(text.size()) + " bytes");
    }
    if (entries.size() >= kMaxTensorCount)
      return refuse("at most " + std::to_string(kMaxTensorCount) + " tensors", "more", ErrorKind::kTooLarge);
    entry_.emplace().name = text;
    return true;
  }

  int depth_ = 0;
  bool in_metadata_ = false;
  bool seen_metadata_ = false;
  bool in_array_ = false;
  bool wants_dtype_ = false;
  std::optional<Entry> entry_;
  std::vector<uint64_t>* field_ = nullptr;  // the array of entry_ that comes next
};

// { "metadata": anything, "weight_map": {"TENSOR": "FILE"} }
class IndexEvents : public StrictEvents {
 public:
  using StrictEvents::StrictEvents;
  SafetensorsIndex index;
  bool seen_map = false;

  bool null() { return !in_map() || other("null"); }
  bool boolean(bool) { return !in_map() || other("a boolean"); }
  bool number_integer(int64_t value) { return !in_map() || other(std::to_string(value)); }
  bool number_unsigned(uint64_t value) { return !in_map() || other(std::to_string(value)); }
  bool number_float(double, const std::string& text) { return !in_map() || other(printable(text)); }
  bool start_array(size_t) { return in_map() ? other("an array") : open(); }
  bool end_array() { return close(); }
  bool start_object(size_t) {
    if (depth_ == 1 && map_next_) seen_map = true;
    return in_map() && depth_ > 1 ? other("an object") : open();
  }
  bool end_object() { return close(); }
  bool key(std::string& text) {
    if (depth_ == 1) {
      map_next_ = text == "weight_map";
      place_ = printable(text);
      wanted_ = "an object";
      return !(map_next_ && seen_map) || refuse("weight_map once", "twice");
    }
    if (!in_map()) return true;
    tensor_ = text;
    place_ = "weight_map: " + printable(text);
    wanted_ = "a file name";
    if (++count_ > kMaxTensorCount)
      return refuse("at most " + std::to_string(kMaxTensorCount) + " tensors", "more", ErrorKind::kTooLarge);
    return true;
  }
  bool string(std::string& file) {
    if (depth_ == 0 || (map_next_ && depth_ == 1)) return other("a string");
    if (!in_map()) return true;
    constexpr std::string_view kExtension = ".safetensors";
    const bool plain = file.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos &&
                       file.size() > kExtension.size() && file.size() <= 255 && file.front() != '.' &&
                       file.ends_with(kExtension);
    if (!plain) return refuse("the plain name of a .safetensors file", "'" + printable(file) + "'");
    index[file].push_back(tensor_);
    return true;
  }

 private:
  bool in_map() const { return depth_ >= 1 && map_next_; }
  bool open() {
    if (depth_ >= kMaxJsonDepth) return refuse("less nesting", "more than 128 levels");
    ++depth_;
    return true;
  }
  bool close() {
    --depth_;
    if (depth_ == 1) map_next_ = false;
    return true;
  }

  int depth_ = 0;
  bool map_next_ = false;  // the value of weight_map comes next, or we are inside it
  uint64_t count_ = 0;
  std::string tensor_;
};

struct NamedDtype {
  std::string_view name;
  Dtype dtype;
};
constexpr NamedDtype kNamedDtypes[] = {
    {"F32", Dtype::kF32}, {"F16", Dtype::kF16}, {"BF16", Dtype::kBF16}, {"F64", Dtype::kF64},
    {"I64", Dtype::kI64}, {"I32", Dtype::kI32}, {"I16", Dtype::kI16},   {"I8", Dtype::kI8},
    {"U8", Dtype::kI8},   {"BOOL", Dtype::kI8}, {"U32", Dtype::kI32},   {"F8_E4M3", Dtype::kF8_E4M3},
};

// Checks one entry against the data and fills the tensor.
Result<FileTensor> place(Entry entry, std::span<const std::byte> data, const std::string& name) {
  const auto fail = [&](std::string wanted, std::string got, ErrorKind kind = ErrorKind::kInvalid,
                        std::string advice = "") {
    return Error{kind, tensor_place(name, entry.name), std::move(wanted), std::move(got), std::move(advice)};
  };
  FileTensor tensor;
  const NamedDtype* known = nullptr;
  for (const NamedDtype& candidate : kNamedDtypes) {
    if (candidate.name == *entry.dtype) known = &candidate;
  }
  if (known == nullptr) {
    return fail("F32, F16, BF16, F8_E4M3 or an integer type", "dtype " + printable(*entry.dtype),
                ErrorKind::kUnsupported, "ask for the BF16 weights, or for a GGUF file");
  }
  tensor.dtype = known->dtype;
  uint64_t elements = 1;
  for (const uint64_t size : *entry.shape) {
    const auto product = checked_mul(elements, size);
    if (size > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) || !product)
      return fail("a shape with a product below 2^63", "a dimension of " + std::to_string(size));
    elements = *product;
    tensor.shape.push_back(static_cast<int64_t>(size));
  }
  if (entry.data_offsets->size() != 2)
    return fail("two data_offsets", std::to_string(entry.data_offsets->size()));
  const uint64_t begin = (*entry.data_offsets)[0];
  const uint64_t end = (*entry.data_offsets)[1];
  if (begin > end || end > data.size()) {
    return fail("data_offsets inside the " + std::to_string(data.size()) + " bytes of data",
                "[" + std::to_string(begin) + ", " + std::to_string(end) + "]");
  }
  const auto size = size_bytes_of(tensor.dtype, elements);
  if (!size || *size != end - begin) {
    return fail((size ? std::to_string(*size) : std::string("2^64 or more")) + " bytes for its shape",
                std::to_string(end - begin));
  }
  tensor.bytes = data.subspan(begin, end - begin);
  tensor.name = std::move(entry.name);
  return tensor;
}

// The tensors in the order of their data, which they must cover without a hole.
Result<std::vector<FileTensor>> in_data_order(std::vector<FileTensor> tensors,
                                              std::span<const std::byte> data, const std::string& name) {
  if (auto disjoint = check_no_overlap(tensors, data.data(), name); !disjoint.ok()) return disjoint.error();
  std::vector<FileTensor> ordered;
  ordered.reserve(tensors.size());
  size_t covered = 0;
  for (const size_t i : order_of_bytes(tensors)) {
    const size_t begin = static_cast<size_t>(tensors[i].bytes.data() - data.data());
    if (begin != covered) {
      return Error{ErrorKind::kInvalid, tensor_place(name, tensors[i].name),
                   "data from byte " + std::to_string(covered) + " on, without a hole",
                   "byte " + std::to_string(begin), ""};
    }
    covered += tensors[i].bytes.size();
    ordered.push_back(std::move(tensors[i]));
  }
  if (covered != data.size()) {
    return Error{ErrorKind::kInvalid, name, std::to_string(covered) + " bytes of data, as the header says",
                 std::to_string(data.size()) + " bytes", ""};
  }
  return ordered;
}

}  // namespace

Result<std::vector<FileTensor>> parse_safetensors(std::span<const std::byte> bytes, const std::string& name) {
  uint64_t header_bytes = 0;
  if (bytes.size() < sizeof header_bytes) {
    return Error{ErrorKind::kInvalid, name + ": header", "8 bytes with its length",
                 std::to_string(bytes.size()) + " bytes before the end of the file", ""};
  }
  std::memcpy(&header_bytes, bytes.data(), sizeof header_bytes);
  const uint64_t left = bytes.size() - sizeof header_bytes;
  if (header_bytes > kMaxSafetensorsHeaderBytes || header_bytes > left) {
    return Error{header_bytes > left ? ErrorKind::kInvalid : ErrorKind::kTooLarge, name + ": header",
                 "a length of at most " + std::to_string(std::min(left, kMaxSafetensorsHeaderBytes)),
                 std::to_string(header_bytes), ""};
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + sizeof header_bytes,
                              static_cast<size_t>(header_bytes));
  if (!text.starts_with('{'))
    return Error{ErrorKind::kInvalid, name + ": header", "'{'", "'" + printable(text.substr(0, 1)) + "'", ""};
  HeaderEvents events(name);
  if (!Json::sax_parse(text.begin(), text.end(), &events)) return events.error();
  const auto data = bytes.subspan(sizeof header_bytes + text.size());
  std::vector<FileTensor> tensors;
  tensors.reserve(events.entries.size());
  for (Entry& entry : events.entries) {
    auto tensor = place(std::move(entry), data, name);
    if (!tensor.ok()) return tensor.error();
    tensors.push_back(std::move(*tensor));
  }
  return in_data_order(std::move(tensors), data, name);
}

Result<SafetensorsIndex> parse_safetensors_index(std::string_view text, const std::string& name) {
  IndexEvents events(name);
  if (!Json::sax_parse(text.begin(), text.end(), &events)) return events.error();
  if (!events.seen_map || events.index.empty())
    return Error{ErrorKind::kInvalid, name, "a weight_map with tensors", "none", ""};
  return std::move(events.index);
}

}  // namespace ink
