// See tensor/gguf.h. The parser walks the file once; the first thing that is wrong is kept in error_ and
// every step after it returns false.
#include "tensor/gguf.h"

#include <bit>
#include <cstring>
#include <limits>

#include "base/checked.h"
#include "tensor/checkpoint_checks.h"

namespace ink {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF numbers are read as they lie in memory");

// The value types that are not numbers; those are in visit_number.
constexpr uint32_t kBool = 7;
constexpr uint32_t kString = 8;
constexpr uint32_t kArray = 9;

// The fewest bytes one entry can take: a length, one character, a type and one byte; and for a tensor a
// length, one character, the number of dimensions, one dimension, a type and an offset.
constexpr uint64_t kMinKeyBytes = 8 + 1 + 4 + 1;
constexpr uint64_t kMinTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;

std::string unknown_type_text(uint32_t type) {
  const std::string number = "type " + std::to_string(type);
  if (type >= 31 && type <= 33)
    return number + ": a row-interleaved Q4_0_4_4 kind that was removed from GGUF";
  if (type >= 36 && type <= 38)
    return number + ": a row-interleaved IQ4_NL_4_4 kind that was removed from GGUF";
  return "unknown type " + std::to_string(type);
}

std::string unknown_type_advice(uint32_t type) {
  if (type >= 31 && type <= 33) return "ask for a file with plain Q4_0";
  if (type >= 36 && type <= 38) return "ask for a file with plain IQ4_NL";
  return "";
}

class GgufParser {
 public:
  GgufParser(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  Result<GgufFile> parse() {
    uint64_t tensor_count = 0;
    uint64_t key_count = 0;
    if (!read_header(tensor_count, key_count)) return error_;
    for (uint64_t i = 0; i < key_count; ++i) {
      if (!read_key_value(i)) return error_;
    }
    if (!read_alignment()) return error_;
    file_.tensors.reserve(tensor_count);
    offsets_.reserve(tensor_count);
    for (uint64_t i = 0; i < tensor_count; ++i) {
      if (!read_tensor_info(i)) return error_;
    }
    if (!place_tensors()) return error_;
    return std::move(file_);
  }

 private:
  uint64_t left() const { return bytes_.size() - position_; }

  bool fail(ErrorKind kind, std::string wanted, std::string got, std::string advice = "") {
    error_ = Error{kind, name_ + ": " + place_, std::move(wanted), std::move(got), std::move(advice)};
    return false;
  }
  bool fail(std::string wanted, std::string got) {
    return fail(ErrorKind::kInvalid, std::move(wanted), std::move(got));
  }

  bool need(uint64_t count, const char* what) {
    if (count <= left()) return true;
    return fail(std::to_string(count) + " bytes for " + what + " at byte " + std::to_string(position_),
                std::to_string(left()) + " bytes before the end of the file");
  }

  template <typename T>
  bool read(T& value, const char* what) {
    if (!need(sizeof(T), what)) return false;
    std::memcpy(&value, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return true;
  }

  bool read_string(std::string_view& text, uint64_t max_bytes, const char* what) {
    uint64_t length = 0;
    if (!read(length, what)) return false;
    if (length > max_bytes) {
      return fail(std::string("at most ") + std::to_string(max_bytes) + " bytes for " + what,
                  std::to_string(length));
    }
    if (!need(length, what)) return false;
    text = {reinterpret_cast<const char*>(bytes_.data()) + position_, static_cast<size_t>(length)};
    position_ += length;
    return true;
  }

  bool read_count(uint64_t& count, uint64_t cap, uint64_t min_entry_bytes, const char* what) {
    if (!read(count, what)) return false;
    if (count > cap) {
      return fail(ErrorKind::kTooLarge, std::string(what) + " of at most " + std::to_string(cap),
                  std::to_string(count));
    }
    if (count > left() / min_entry_bytes) {
      return fail(std::string(what) + " that fits into the " + std::to_string(left()) +
                      " bytes that follow (at most " + std::to_string(left() / min_entry_bytes) + ")",
                  std::to_string(count));
    }
    return true;
  }

  bool read_header(uint64_t& tensor_count, uint64_t& key_count);
  bool read_key_value(uint64_t number);
  bool read_value(uint32_t type, MetaValue& value);
  // Calls visit with a zero of the C++ type that the number stands for.
  template <typename Visit>
  bool visit_number(uint32_t type, Visit visit);
  bool read_array(MetaValue& value);
  template <typename T, typename Stored>
  bool read_numbers(uint64_t count, MetaValue& value);
  bool read_strings(uint64_t count, MetaValue& value);
  bool check_booleans(const MetaValue& value);
  bool read_alignment();
  bool read_tensor_info(uint64_t number);
  bool read_shape(FileTensor& tensor);
  bool read_type(FileTensor& tensor);
  bool place_tensors();
  bool check_end(uint64_t data_start, uint64_t data_end);

  std::span<const std::byte> bytes_;
  const std::string& name_;
  std::string place_ = "header";
  uint64_t position_ = 0;
  uint64_t alignment_ = kDefaultGgufAlignment;
  std::vector<uint64_t> offsets_;  // of the tensors, from the start of the data
  GgufFile file_;
  Error error_;
};

bool GgufParser::read_header(uint64_t& tensor_count, uint64_t& key_count) {
  char magic[4] = {};
  if (!read(magic, "the magic")) return false;
  if (std::memcmp(magic, "GGUF", 4) != 0)
    return fail("magic 'GGUF'", "'" + printable(std::string_view(magic, 4)) + "'");
  uint32_t version = 0;
  if (!read(version, "the version")) return false;
  if (version != 2 && version != 3) {
    const bool swapped = (version & 0xffffu) == 0 && version != 0;
    return fail(ErrorKind::kUnsupported, "GGUF version 2 or 3, little-endian",
                swapped ? "a big-endian file" : "version " + std::to_string(version),
                version == 1 ? "convert the model again with a current tool" : "");
  }
  return read_count(tensor_count, kMaxTensorCount, kMinTensorBytes, "a number of tensors") &&
         read_count(key_count, kMaxGgufKeys, kMinKeyBytes, "a number of metadata keys");
}

bool GgufParser::read_key_value(uint64_t number) {
  place_ = "metadata key number " + std::to_string(number);
  std::string_view key;
  if (!read_string(key, kMaxGgufKeyBytes, "a key")) return false;
  place_ = "metadata " + printable(key);
  if (key.empty()) return fail("a key", "an empty one");
  const uint64_t start = position_;
  uint32_t type = 0;
  MetaValue value;
  if (!read(type, "a value's type") || !read_value(type, value)) return false;
  file_.encoded_metadata.push_back({key, bytes_.subspan(start, position_ - start)});
  if (!file_.metadata.emplace(key, std::move(value)).second) return fail("each key once", "this one twice");
  return true;
}

template <typename Visit>
bool GgufParser::visit_number(uint32_t type, Visit visit) {
  switch (type) {
    case 0:
      return visit(uint8_t{});
    case 1:
      return visit(int8_t{});
    case 2:
      return visit(uint16_t{});
    case 3:
      return visit(int16_t{});
    case 4:
      return visit(uint32_t{});
    case 5:
      return visit(int32_t{});
    case 6:
      return visit(float{});
    case 10:
      return visit(uint64_t{});
    case 11:
      return visit(int64_t{});
    case 12:
      return visit(double{});
    default:
      return fail("a value type from 0 to 12", std::to_string(type));
  }
}

bool GgufParser::read_value(uint32_t type, MetaValue& value) {
  if (type == kString) {
    std::string_view text;
    if (!read_string(text, kMaxGgufStringBytes, "a string")) return false;
    value = text;
    return true;
  }
  if (type == kBool) {
    uint8_t raw = 0;
    if (!read(raw, "a boolean")) return false;
    value = raw == 1;
    return raw <= 1 || fail("a boolean of 0 or 1", std::to_string(raw));
  }
  if (type == kArray) return read_array(value);
  return visit_number(type, [&](auto raw) {
    using T = decltype(raw);
    if (!read(raw, "a value")) return false;
    if constexpr (std::is_floating_point_v<T>) {
      value = static_cast<double>(raw);
    } else if constexpr (std::is_signed_v<T>) {
      value = int64_t{raw};
    } else {
      value = uint64_t{raw};
    }
    return true;
  });
}

bool GgufParser::read_array(MetaValue& value) {
  uint32_t type = 0;
  uint64_t count = 0;
  if (!read(type, "an array's type") || !read(count, "an array's length")) return false;
  if (type == kString) return read_strings(count, value);
  if (type == kBool) return read_numbers<uint8_t, uint8_t>(count, value) && check_booleans(value);
  if (type == kArray)
    return fail(ErrorKind::kUnsupported, "an array of numbers or strings", "an array of arrays");
  return visit_number(type, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, uint8_t>) return read_numbers<T, uint8_t>(count, value);
    if constexpr (std::is_floating_point_v<T>) return read_numbers<T, double>(count, value);
    return read_numbers<T, int64_t>(count, value);
  });
}

template <typename T, typename Stored>
bool GgufParser::read_numbers(uint64_t count, MetaValue& value) {
  const auto size = checked_mul(count, sizeof(T));
  if (!size || *size > left()) {
    return fail("an array that fits into the " + std::to_string(left()) + " bytes that follow",
                std::to_string(count) + " values of " + std::to_string(sizeof(T)) + " bytes");
  }
  std::vector<Stored> values(count);
  for (Stored& stored : values) {
    T raw{};
    std::memcpy(&raw, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    if constexpr (std::is_same_v<T, uint64_t>) {
      if (raw > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        return fail("array values below 2^63", std::to_string(raw));
    }
    stored = static_cast<Stored>(raw);
  }
  value = MetaArray(std::move(values));
  return true;
}

bool GgufParser::read_strings(uint64_t count, MetaValue& value) {
  if (count > left() / sizeof(uint64_t)) {
    return fail("an array that fits into the " + std::to_string(left()) + " bytes that follow",
                std::to_string(count) + " strings");
  }
  std::vector<std::string_view> texts(count);
  for (std::string_view& text : texts) {
    // Vocabularies have 150,000 of them: a plain one is read here, and what is wrong is said there.
    uint64_t length = 0;
    if (left() >= sizeof length) std::memcpy(&length, bytes_.data() + position_, sizeof length);
    if (left() >= sizeof length && length <= kMaxGgufStringBytes && length <= left() - sizeof length) {
      text = {reinterpret_cast<const char*>(bytes_.data()) + position_ + sizeof length,
              static_cast<size_t>(length)};
      position_ += sizeof length + length;
    } else if (!read_string(text, kMaxGgufStringBytes, "a string in an array")) {
      return false;
    }
  }
  value = MetaArray(std::move(texts));
  return true;
}

bool GgufParser::check_booleans(const MetaValue& value) {
  for (const uint8_t raw : std::get<std::vector<uint8_t>>(std::get<MetaArray>(value))) {
    if (raw > 1) return fail("booleans of 0 or 1", std::to_string(raw));
  }
  return true;
}

bool GgufParser::read_alignment() {
  const auto found = file_.metadata.find("general.alignment");
  if (found == file_.metadata.end()) return true;
  place_ = "metadata general.alignment";
  const auto* alignment = std::get_if<uint64_t>(&found->second);
  if (alignment == nullptr) return fail("an unsigned number", "another type");
  if (!std::has_single_bit(*alignment) || *alignment > kMaxGgufAlignment) {
    return fail("a power of two of at most " + std::to_string(kMaxGgufAlignment), std::to_string(*alignment));
  }
  alignment_ = *alignment;
  return true;
}

bool GgufParser::read_tensor_info(uint64_t number) {
  place_ = "tensor number " + std::to_string(number);
  std::string_view tensor_name;
  if (!read_string(tensor_name, kMaxTensorNameBytes, "a tensor's name")) return false;
  if (tensor_name.empty()) return fail("a name", "an empty one");
  place_ = "tensor " + printable(tensor_name);
  FileTensor tensor;
  tensor.name = tensor_name;
  uint64_t offset = 0;
  if (!read_shape(tensor) || !read_type(tensor) || !read(offset, "an offset")) return false;
  if (offset % alignment_ != 0)
    return fail("an offset that is a multiple of " + std::to_string(alignment_), std::to_string(offset));
  offsets_.push_back(offset);
  file_.tensors.push_back(std::move(tensor));
  return true;
}

bool GgufParser::read_shape(FileTensor& tensor) {
  uint32_t dimensions = 0;
  if (!read(dimensions, "the number of dimensions")) return false;
  if (dimensions < 1 || dimensions > kMaxGgufDimensions)
    return fail("1 to " + std::to_string(kMaxGgufDimensions) + " dimensions", std::to_string(dimensions));
  tensor.shape.resize(dimensions);
  uint64_t elements = 1;
  for (uint32_t i = dimensions; i-- > 0;) {  // the file has the innermost first
    uint64_t size = 0;
    if (!read(size, "a dimension")) return false;
    const auto product = checked_mul(elements, size);
    if (size == 0 || !product || *product > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      return fail("dimensions of 1 or more with a product below 2^63", std::to_string(size));
    elements = *product;
    tensor.shape[i] = static_cast<int64_t>(size);
  }
  return true;
}

bool GgufParser::read_type(FileTensor& tensor) {
  uint32_t type = 0;
  if (!read(type, "the type")) return false;
  const DtypeInfo* info = find_dtype(type);
  if (info == nullptr) {
    return fail(ErrorKind::kUnsupported, "a type we know", unknown_type_text(type),
                unknown_type_advice(type));
  }
  if (tensor.shape.back() % info->block_elements != 0) {
    return fail("rows of whole blocks: a multiple of " + std::to_string(info->block_elements) + " for " +
                    std::string(info->name),
                "rows of " + std::to_string(tensor.shape.back()));
  }
  tensor.dtype = info->dtype;
  return true;
}

bool GgufParser::place_tensors() {
  if (file_.tensors.empty()) return true;
  place_ = "data";
  const auto data_start = checked_align(position_, alignment_);
  if (!data_start || *data_start > bytes_.size()) {
    return fail("tensor data after byte " + std::to_string(position_),
                "the end of the file at byte " + std::to_string(bytes_.size()));
  }
  const uint64_t available = bytes_.size() - *data_start;
  uint64_t data_end = 0;
  for (size_t i = 0; i < file_.tensors.size(); ++i) {
    FileTensor& tensor = file_.tensors[i];
    place_ = "tensor " + printable(tensor.name);
    const auto size = size_bytes_of(tensor.dtype, static_cast<uint64_t>(tensor.elements()));
    const auto end = size ? checked_add(offsets_[i], *size) : std::nullopt;
    if (!end || *end > available) {
      return fail("data inside the " + std::to_string(available) + " bytes of tensor data",
                  "offset " + std::to_string(offsets_[i]) + " and " +
                      (size ? std::to_string(*size) : std::string("2^64 or more")) + " bytes");
    }
    tensor.bytes = bytes_.subspan(*data_start + offsets_[i], *size);
    data_end = std::max(data_end, *end);
  }
  if (auto disjoint = check_no_overlap(file_.tensors, bytes_.data() + *data_start, name_); !disjoint.ok()) {
    error_ = disjoint.error();
    return false;
  }
  return check_end(*data_start, data_end);
}

bool GgufParser::check_end(uint64_t data_start, uint64_t data_end) {
  place_ = "data";
  const uint64_t end = data_start + data_end;
  const auto padded = checked_align(end, alignment_);
  if (bytes_.size() > end && padded && bytes_.size() < *padded) {
    return fail("the file to end at byte " + std::to_string(end) + " or, padded, " + std::to_string(*padded),
                "its end at byte " + std::to_string(bytes_.size()) + ": it was cut off");
  }
  return true;
}

}  // namespace

Result<GgufFile> parse_gguf(std::span<const std::byte> bytes, const std::string& name) {
  return GgufParser(bytes, name).parse();
}

}  // namespace ink
