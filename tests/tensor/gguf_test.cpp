// GGUF: what the writer writes the reader reads, and every way in which a file can lie is refused by name.
#include "tensor/gguf.h"

#include <gtest/gtest.h>

#include "tests/tensor/checkpoint_samples.h"

namespace ink::testing {
namespace {

// A GGUF file put together by hand, so that every field can be wrong.
class RawGguf {
 public:
  RawGguf(uint32_t version, uint64_t tensors, uint64_t keys) {
    text_ = "GGUF";
    *this << version << tensors << keys;
  }
  template <typename T>
  requires std::is_arithmetic_v<T> RawGguf& operator<<(T value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  RawGguf& operator<<(const char* text) {
    *this << uint64_t{std::strlen(text)};
    text_ += text;
    return *this;
  }
  RawGguf& tensor(const char* name, std::vector<uint64_t> dimensions, uint32_t type, uint64_t offset) {
    *this << name << static_cast<uint32_t>(dimensions.size());
    for (const uint64_t size : dimensions) *this << size;
    return *this << type << offset;
  }
  std::string with_data(size_t count) const {
    std::string all = text_;
    all.append((32 - all.size() % 32) % 32, '\0');
    return all + std::string(count, '\1');
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

Error refused(const std::string& bytes) {
  auto file = parse_gguf(bytes_of(bytes), "x.gguf");
  EXPECT_FALSE(file.ok());
  return file.ok() ? Error{} : file.error();
}

void expect_refused(const std::string& bytes, ErrorKind kind, const std::string& where,
                    const std::string& said) {
  const Error error = refused(bytes);
  EXPECT_EQ(error.kind, kind) << error.message();
  EXPECT_EQ(error.where, "x.gguf: " + where) << error.message();
  EXPECT_NE(error.message().find(said), std::string::npos) << error.message() << "\nwithout: " << said;
}

std::string sample_gguf() {
  TemporaryFolder folder;
  write_sample_gguf(folder / "a.gguf", sample_tensors(), sample_metadata());
  return read_bytes(folder / "a.gguf");
}

TEST(Gguf, ReadsWhatTheWriterWrote) {
  const std::string bytes = sample_gguf();
  const auto file = parse_gguf(bytes_of(bytes), "x.gguf");
  ASSERT_TRUE(file.ok()) << file.error().message();
  const auto wanted = sample_tensors();
  ASSERT_EQ(file->tensors.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    const FileTensor& tensor = file->tensors[i];
    EXPECT_EQ(tensor.name, wanted[i].name);
    EXPECT_EQ(tensor.dtype, wanted[i].dtype);
    EXPECT_EQ(tensor.shape, wanted[i].shape);
    ASSERT_EQ(tensor.bytes.size(), planned_size_bytes(wanted[i]).value());
    for (size_t k = 0; k < tensor.bytes.size(); ++k) ASSERT_EQ(tensor.bytes[k], sample_byte(i, k));
  }
  const auto& tokens = std::get<std::vector<std::string_view>>(
      std::get<MetaArray>(file->metadata.find("tokenizer.ggml.tokens")->second));
  EXPECT_EQ(tokens, (std::vector<std::string_view>{"a", "", "灯"}));
}

template <typename T>
std::vector<T> extremes() {
  return {std::numeric_limits<T>::lowest(), T{0}, T{1}, std::numeric_limits<T>::max()};
}

TEST(Gguf, KeepsEveryMetadataType) {
  GgufWriter writer;
  const auto add = [&]<typename T>(const char* name, T) {
    writer.add_number(name, std::numeric_limits<T>::lowest());
    writer.add_numbers<T>(std::string(name) + "s", extremes<T>());
  };
  add("u8", uint8_t{}), add("i8", int8_t{}), add("u16", uint16_t{}), add("i16", int16_t{});
  add("u32", uint32_t{}), add("i32", int32_t{}), add("i64", int64_t{}), add("f32", 0.0f), add("f64", 0.0);
  writer.add_number("u64", ~uint64_t{0});
  writer.add_numbers<uint64_t>("u64s", std::vector<uint64_t>{0, uint64_t{1} << 62});
  writer.add_bool("bool", true);
  writer.add_string("text", "a\nb\xff");  // strings are bytes
  TemporaryFolder folder;
  write_sample_gguf(folder / "a.gguf", {}, writer);
  const std::string bytes = read_bytes(folder / "a.gguf");
  const auto file = parse_gguf(bytes_of(bytes), "x.gguf");
  ASSERT_TRUE(file.ok()) << file.error().message();
  const auto at = [&](const char* key) { return file->metadata.find(key)->second; };
  EXPECT_EQ(at("u8"), MetaValue(uint64_t{0}));
  EXPECT_EQ(at("i8"), MetaValue(int64_t{-128}));
  EXPECT_EQ(at("i16"), MetaValue(int64_t{-32768}));
  EXPECT_EQ(at("i32"), MetaValue(int64_t{-2147483648}));
  EXPECT_EQ(at("i64"), MetaValue(std::numeric_limits<int64_t>::min()));
  EXPECT_EQ(at("u64"), MetaValue(~uint64_t{0}));
  EXPECT_EQ(at("f32"), MetaValue(-3.4028234663852886e38));
  EXPECT_EQ(at("bool"), MetaValue(true));
  EXPECT_EQ(at("text"), MetaValue(std::string_view("a\nb\xff")));
  EXPECT_EQ(at("u8s"), MetaValue(MetaArray(std::vector<uint8_t>{0, 0, 1, 255})));
  EXPECT_EQ(at("i8s"), MetaValue(MetaArray(std::vector<int64_t>{-128, 0, 1, 127})));
  EXPECT_EQ(at("u32s"), MetaValue(MetaArray(std::vector<int64_t>{0, 0, 1, 4294967295})));
  EXPECT_EQ(at("u64s"), MetaValue(MetaArray(std::vector<int64_t>{0, int64_t{1} << 62})));
  EXPECT_EQ(at("f64s"), MetaValue(MetaArray(extremes<double>())));
}

TEST(Gguf, RefusesEveryTruncation) {
  const std::string whole = sample_gguf();
  ASSERT_TRUE(parse_gguf(bytes_of(whole), "x.gguf").ok());
  for (size_t length = 0; length < whole.size(); ++length) {
    const std::string part = whole.substr(0, length);
    const auto file = parse_gguf(bytes_of(part), "x.gguf");
    ASSERT_FALSE(file.ok()) << "accepted the first " << length << " of " << whole.size() << " bytes";
    EXPECT_EQ(file.error().kind, ErrorKind::kInvalid);
    EXPECT_TRUE(file.error().where.starts_with("x.gguf: ")) << file.error().message();
    EXPECT_FALSE(file.error().wanted.empty());
    EXPECT_FALSE(file.error().got.empty());
  }
}

TEST(Gguf, PaddingAfterTheLastTensorIsWholeOrAbsent) {
  TemporaryFolder folder;
  write_sample_gguf(folder / "a.gguf", {{"t", Dtype::kF32, {3}}});
  const std::string padded = read_bytes(folder / "a.gguf");
  const size_t end = padded.size() - 20;  // 12 bytes of data
  for (size_t length = 0; length <= padded.size(); ++length) {
    const std::string part = padded.substr(0, length);
    EXPECT_EQ(parse_gguf(bytes_of(part), "x.gguf").ok(), length == end || length == padded.size()) << length;
  }
}

TEST(Gguf, FlippedBitsNeverCrash) {
  std::string bytes = sample_gguf();
  size_t refused_count = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    const auto file = parse_gguf(bytes_of(bytes), "x.gguf");
    if (!file.ok()) {
      ++refused_count;
      EXPECT_FALSE(file.error().got.empty());
    } else {
      for (const FileTensor& tensor : file->tensors) {
        EXPECT_LE(tensor.bytes.data() + tensor.bytes.size(), bytes_of(bytes).data() + bytes.size());
      }
    }
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  }
  EXPECT_GT(refused_count, 1000u);
}

TEST(Gguf, RefusesOtherFilesAndVersions) {
  expect_refused("PK\x03\x04 zip", ErrorKind::kInvalid, "header",
                 "expected magic 'GGUF', got 'PK\\x03\\x04'");
  expect_refused(RawGguf(1, 0, 0).text(), ErrorKind::kUnsupported, "header", "version 1");
  expect_refused(RawGguf(99, 0, 0).text(), ErrorKind::kUnsupported, "header", "version 99");
  expect_refused(RawGguf(0x03000000, 0, 0).text(), ErrorKind::kUnsupported, "header", "big-endian");
  EXPECT_TRUE(parse_gguf(bytes_of(RawGguf(2, 0, 0).text()), "x").ok());
}

TEST(Gguf, RefusesCountsThatTheFileCannotHold) {
  expect_refused(RawGguf(3, ~uint64_t{0}, 0).text(), ErrorKind::kTooLarge, "header", "number of tensors");
  expect_refused(RawGguf(3, 0, ~uint64_t{0}).text(), ErrorKind::kTooLarge, "header", "number of metadata");
  expect_refused(RawGguf(3, 1000, 0).text(), ErrorKind::kInvalid, "header", "that fits into the 8 bytes");
  expect_refused(RawGguf(3, 0, 2).with_data(8), ErrorKind::kInvalid, "header", "got 2");
}

TEST(Gguf, RefusesBadMetadata) {
  const auto one_key = [] { return RawGguf(3, 0, 1); };
  const uint64_t huge = uint64_t{1} << 63;
  expect_refused((one_key() << huge).with_data(64), ErrorKind::kInvalid, "metadata key number 0",
                 "9223372036854775808");
  expect_refused((one_key() << "").with_data(64), ErrorKind::kInvalid, "metadata ", "an empty one");
  expect_refused((one_key() << "k" << uint32_t{13}).with_data(64), ErrorKind::kInvalid, "metadata k",
                 "got 13");
  expect_refused((one_key() << "k" << uint32_t{8} << huge).with_data(64), ErrorKind::kInvalid, "metadata k",
                 "at most 1073741824 bytes");
  expect_refused((one_key() << "k" << uint32_t{8} << uint64_t{1000}).with_data(64), ErrorKind::kInvalid,
                 "metadata k", "1000 bytes for a string");
  expect_refused((one_key() << "k" << uint32_t{7} << uint8_t{2}).with_data(64), ErrorKind::kInvalid,
                 "metadata k", "boolean");
  expect_refused((one_key() << "k" << uint32_t{9} << uint32_t{9} << uint64_t{1}).with_data(64),
                 ErrorKind::kUnsupported, "metadata k", "array of arrays");
  expect_refused((one_key() << "k" << uint32_t{9} << uint32_t{77} << uint64_t{1}).with_data(64),
                 ErrorKind::kInvalid, "metadata k", "got 77");
  expect_refused((one_key() << "k" << uint32_t{9} << uint32_t{5} << (huge / 2)).with_data(64),
                 ErrorKind::kInvalid, "metadata k", "4611686018427387904 values of 4 bytes");
  expect_refused((one_key() << "k" << uint32_t{9} << uint32_t{8} << huge).with_data(64), ErrorKind::kInvalid,
                 "metadata k", "strings");
  expect_refused((one_key() << "k" << uint32_t{9} << uint32_t{10} << uint64_t{1} << huge).with_data(64),
                 ErrorKind::kInvalid, "metadata k", "below 2^63");
  RawGguf twice(3, 0, 2);
  twice << "k" << uint32_t{0} << uint8_t{1} << "k" << uint32_t{0} << uint8_t{1};
  expect_refused(twice.text(), ErrorKind::kInvalid, "metadata k", "twice");
  for (const uint32_t alignment : {0u, 3u, 1u << 21}) {
    RawGguf file(3, 0, 1);
    file << "general.alignment" << uint32_t{4} << alignment;
    expect_refused(file.text(), ErrorKind::kInvalid, "metadata general.alignment", "power of two");
  }
}

TEST(Gguf, RefusesBadTensors) {
  const auto one = [](std::vector<uint64_t> dimensions, uint32_t type, uint64_t offset) {
    return RawGguf(3, 1, 0).tensor("t", std::move(dimensions), type, offset).with_data(128);
  };
  ASSERT_TRUE(parse_gguf(bytes_of(one({32}, 0, 0)), "x").ok());
  expect_refused(one({}, 0, 0), ErrorKind::kInvalid, "tensor t", "dimensions");
  expect_refused(one({1, 1, 1, 1, 1}, 0, 0), ErrorKind::kInvalid, "tensor t", "got 5");
  expect_refused(one({0}, 0, 0), ErrorKind::kInvalid, "tensor t", "dimensions of 1 or more");
  expect_refused(one({uint64_t{1} << 40, uint64_t{1} << 40}, 0, 0), ErrorKind::kInvalid, "tensor t", "2^63");
  expect_refused(one({~uint64_t{0}}, 0, 0), ErrorKind::kInvalid, "tensor t", "2^63");
  expect_refused(one({uint64_t{1} << 62}, 0, 0), ErrorKind::kInvalid, "tensor t", "2^64 or more");
  expect_refused(one({33}, 0, 0), ErrorKind::kInvalid, "tensor t", "132 bytes");
  expect_refused(one({32}, 0, 32), ErrorKind::kInvalid, "tensor t", "offset 32 and 128 bytes");
  expect_refused(one({8}, 0, ~uint64_t{31}), ErrorKind::kInvalid, "tensor t", "offset 18446744073709551584");
  expect_refused(one({8}, 0, 7), ErrorKind::kInvalid, "tensor t", "multiple of 32, got 7");
  expect_refused(one({33}, 8, 0), ErrorKind::kInvalid, "tensor t", "multiple of 32 for Q8_0, got rows of 33");
  expect_refused(one({32, 2}, 10, 0), ErrorKind::kInvalid, "tensor t", "multiple of 256 for Q2_K");
  expect_refused(one({32}, 9999, 0), ErrorKind::kUnsupported, "tensor t", "unknown type 9999");
  expect_refused(one({32}, 31, 0), ErrorKind::kUnsupported, "tensor t",
                 "type 31: a row-interleaved Q4_0_4_4");
  expect_refused(one({32}, 33, 0), ErrorKind::kUnsupported, "tensor t", "ask for a file with plain Q4_0");
  expect_refused(one({32}, 37, 0), ErrorKind::kUnsupported, "tensor t", "plain IQ4_NL");
  expect_refused(RawGguf(3, 1, 0).tensor("", {32}, 0, 0).with_data(128), ErrorKind::kInvalid,
                 "tensor number 0", "an empty one");
  const std::string long_name(1025, 'n');
  expect_refused(RawGguf(3, 1, 0).tensor(long_name.c_str(), {32}, 0, 0).with_data(128), ErrorKind::kInvalid,
                 "tensor number 0", "at most 1024 bytes");
  RawGguf overlapping(3, 2, 0);
  overlapping.tensor("a", {16}, 0, 0).tensor("b", {16}, 0, 32);
  expect_refused(overlapping.with_data(128), ErrorKind::kInvalid, "tensor b", "inside tensor a");
}

TEST(Gguf, NamesInMessagesCannotReachATerminal) {
  const std::string file = RawGguf(3, 1, 0).tensor("\x1b[2J\xe2\x80\xaeq", {32}, 9999, 0).with_data(128);
  const std::string message = refused(file).message();
  EXPECT_NE(message.find("\\x1b[2J\\xe2\\x80\\xaeq"), std::string::npos) << message;
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
}

TEST(GgufWriter, HonoursTheAlignment) {
  TemporaryFolder folder;
  write_sample_gguf(folder / "a.gguf", sample_tensors(), GgufWriter(4096));
  const std::string bytes = read_bytes(folder / "a.gguf");
  EXPECT_EQ(bytes.size() % 4096, 0u);
  const auto file = parse_gguf(bytes_of(bytes), "x.gguf");
  ASSERT_TRUE(file.ok()) << file.error().message();
  for (const FileTensor& tensor : file->tensors) {
    EXPECT_EQ((tensor.bytes.data() - bytes_of(bytes).data()) % 4096, 0);
  }
}

TEST(GgufWriter, RefusesShapesThatTheFormatCannotHold) {
  TemporaryFolder folder;
  for (const PlannedTensor& tensor : std::vector<PlannedTensor>{{"t", Dtype::kF32, {}},
                                                                {"t", Dtype::kF32, {-1}},
                                                                {"t", Dtype::kQ8_0, {31}},
                                                                {"t", Dtype::kF32, {int64_t{1} << 62, 4}},
                                                                {"t", Dtype::kF32, {1, 1, 1, 1, 1}}}) {
    GgufWriter writer;
    writer.add_tensor(tensor);
    const auto written = writer.write(folder / "a.gguf", nullptr);
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().kind, ErrorKind::kInvalid);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace ink::testing
