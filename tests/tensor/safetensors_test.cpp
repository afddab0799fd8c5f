// safetensors: what the writer writes the reader reads; the header's lies are refused by name.
#include "tensor/safetensors.h"

#include <gtest/gtest.h>

#include "tests/tensor/checkpoint_samples.h"

namespace ink::testing {
namespace {

std::vector<PlannedTensor> plain_tensors() {
  return {{"model.embed_tokens.weight", Dtype::kBF16, {3, 5}},
          {"a", Dtype::kF32, {2, 2}},
          {"b", Dtype::kF16, {7}},
          {"ids \"quoted\" 灯", Dtype::kI32, {1}}};
}

std::string with_header(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + std::string(data_bytes, '\1');
}

void expect_refused(const std::string& bytes, ErrorKind kind, const std::string& said) {
  const auto tensors = parse_safetensors(bytes_of(bytes), "x.safetensors");
  ASSERT_FALSE(tensors.ok()) << said;
  EXPECT_EQ(tensors.error().kind, kind) << tensors.error().message();
  EXPECT_TRUE(tensors.error().where.starts_with("x.safetensors")) << tensors.error().message();
  EXPECT_NE(tensors.error().message().find(said), std::string::npos)
      << tensors.error().message() << "\nwithout: " << said;
}

std::string sample_safetensors() {
  TemporaryFolder folder;
  write_sample_safetensors(folder / "a.safetensors", plain_tensors());
  return read_bytes(folder / "a.safetensors");
}

TEST(Safetensors, ReadsWhatTheWriterWrote) {
  const std::string bytes = sample_safetensors();
  const auto tensors = parse_safetensors(bytes_of(bytes), "x.safetensors");
  ASSERT_TRUE(tensors.ok()) << tensors.error().message();
  const auto wanted = plain_tensors();
  ASSERT_EQ(tensors->size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    const FileTensor& tensor = (*tensors)[i];
    EXPECT_EQ(tensor.name, wanted[i].name);
    EXPECT_EQ(tensor.dtype, wanted[i].dtype);
    EXPECT_EQ(tensor.shape, wanted[i].shape);
    for (size_t k = 0; k < tensor.bytes.size(); ++k) ASSERT_EQ(tensor.bytes[k], sample_byte(i, k));
  }
}

TEST(Safetensors, RefusesEveryTruncationAndATail) {
  const std::string whole = sample_safetensors();
  for (size_t length = 0; length < whole.size(); ++length) {
    const std::string part = whole.substr(0, length);
    const auto tensors = parse_safetensors(bytes_of(part), "x.safetensors");
    ASSERT_FALSE(tensors.ok()) << "accepted the first " << length << " of " << whole.size() << " bytes";
    EXPECT_TRUE(tensors.error().where.starts_with("x.safetensors")) << tensors.error().message();
    EXPECT_FALSE(tensors.error().got.empty());
  }
  expect_refused(whole + "x", ErrorKind::kInvalid, "as the header says");
}

TEST(Safetensors, FlippedBitsNeverCrash) {
  std::string bytes = sample_safetensors();
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    const auto tensors = parse_safetensors(bytes_of(bytes), "x.safetensors");
    EXPECT_TRUE(tensors.ok() || !tensors.error().got.empty());
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  }
}

TEST(Safetensors, AcceptsWhatTheFormatAllows) {
  for (
      const char* header :
      {R"({"t":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}    )",
       R"({"z":{"data_offsets":[0,0],"shape":[0,7],"dtype":"BOOL"},"t":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
       R"({"__metadata__":{"format":"pt","a":"b"},"t":{"dtype":"I16","shape":[1,2],"data_offsets":[0,4]}})"}) {
    const std::string bytes = with_header(header, 4);
    const auto tensors = parse_safetensors(bytes_of(bytes), "x");
    EXPECT_TRUE(tensors.ok()) << tensors.error().message();
  }
  EXPECT_TRUE(parse_safetensors(bytes_of(with_header("{}", 0)), "x").ok());
}

TEST(Safetensors, RefusesBadHeaders) {
  const auto refuse = [](const std::string& header, const std::string& said) {
    expect_refused(with_header(header, 4), ErrorKind::kInvalid, said);
  };
  expect_refused(std::string("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10), ErrorKind::kInvalid,
                 "9223372036854775807");
  refuse(" {}", "expected '{', got ' '");
  refuse("", "'{'");
  refuse("{", "valid JSON");
  refuse("{\"t\":\xff}", "valid JSON");
  refuse(R"({"t":1})", "expected an object, got 1");
  refuse(R"({"t":{"dtype":"F32","shape":[1]}})", "not all of them");
  refuse(R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"extra":1}})", "'extra'");
  refuse(R"({"t":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "each once");
  refuse(R"({"t":{"dtype":7,"shape":[1],"data_offsets":[0,4]}})", "expected a string, got 7");
  refuse(R"({"t":{"dtype":"F32","shape":"1","data_offsets":[0,4]}})", "expected an array of numbers");
  refuse(R"({"t":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})", "expected numbers, got an array");
  refuse(R"({"t":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "got -1");
  refuse(R"({"t":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", "got 1.0");
  refuse(R"({"t":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})", "at most 8 numbers");
  refuse(R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}})", "two data_offsets, got 3");
  refuse(R"({"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "1 to 1024 bytes");
  refuse(R"({"__metadata__":{"a":1}})", "expected strings, got 1");
  refuse(R"({"__metadata__":{},"__metadata__":{}})", "twice");
}

TEST(Safetensors, RefusesBadTensors) {
  const auto one = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return with_header(
        R"({"t":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}", 8);
  };
  ASSERT_TRUE(parse_safetensors(bytes_of(one("F32", "[2]", "[0,8]")), "x").ok());
  expect_refused(one("F32", "[3]", "[0,8]"), ErrorKind::kInvalid, "12 bytes for its shape, got 8");
  expect_refused(one("F32", "[3]", "[0,12]"), ErrorKind::kInvalid, "inside the 8 bytes of data, got [0, 12]");
  expect_refused(one("F32", "[2]", "[8,0]"), ErrorKind::kInvalid, "got [8, 0]");
  expect_refused(one("F32", "[1]", "[4,8]"), ErrorKind::kInvalid,
                 "from byte 0 on, without a hole, got byte 4");
  expect_refused(one("F32", "[1]", "[0,4]"), ErrorKind::kInvalid, "4 bytes of data, as the header says");
  expect_refused(one("F32", "[4611686018427387904]", "[0,8]"), ErrorKind::kInvalid, "2^64 or more bytes");
  expect_refused(one("F32", "[4294967296,4294967296,4294967296]", "[0,8]"), ErrorKind::kInvalid, "2^63");
  expect_refused(one("F8_E5M2", "[8]", "[0,8]"), ErrorKind::kUnsupported, "dtype F8_E5M2");
  expect_refused(with_header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                             R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                             8),
                 ErrorKind::kInvalid, "inside tensor a");
}

TEST(Safetensors, ManyTensorsAreReadInLinearTime) {
  std::string header = "{";
  constexpr int kCount = 200'000;  // a tree with look-ups by walking would take minutes
  for (int i = 0; i < kCount; ++i) {
    header += (i > 0 ? ",\"t" : "\"t") + std::to_string(i) +
              R"(":{"dtype":"U8","shape":[1],"data_offsets":[)" + std::to_string(i) + "," +
              std::to_string(i + 1) + "]}";
  }
  const std::string bytes = with_header(header + "}", kCount);
  const auto tensors = parse_safetensors(bytes_of(bytes), "x");
  ASSERT_TRUE(tensors.ok()) << tensors.error().message();
  EXPECT_EQ(tensors->size(), static_cast<size_t>(kCount));
}

TEST(SafetensorsIndex, ReadsTheMapAndSkipsTheRest) {
  const auto index = parse_safetensors_index(
      R"({"metadata":{"total_size":1,"weight_map":{"x":"y"},"l":[[{"a":null}],true,-1,0.5]},)"
      R"("weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors","c":"m-1.safetensors"}})",
      "i.json");
  ASSERT_TRUE(index.ok()) << index.error().message();
  EXPECT_EQ(*index, (SafetensorsIndex{{"m-1.safetensors", {"a", "c"}}, {"m-2.safetensors", {"b"}}}));
}

TEST(SafetensorsIndex, RefusesNamesThatLeaveTheFolder) {
  for (const char* name : {"../m.safetensors", "/m.safetensors", "a/m.safetensors", "a\\\\m.safetensors",
                           "..", "", ".safetensors", "m.bin", "m\\u0000.safetensors"}) {
    const auto index = parse_safetensors_index(R"({"weight_map":{"a":")" + std::string(name) + R"("}})", "i");
    ASSERT_FALSE(index.ok()) << name;
    EXPECT_NE(index.error().message().find("plain name"), std::string::npos) << index.error().message();
  }
  for (const char* text : {"", "[]", "{}", "1", R"({"weight_map":[]})", R"({"weight_map":{"a":1}})",
                           R"({"weight_map":{"a":{}}})", R"({"weight_map":"a"})", R"({"weight_map":{}})",
                           R"({"weight_map":{"a":"m.safetensors"},"weight_map":{}})"}) {
    EXPECT_FALSE(parse_safetensors_index(text, "i").ok()) << text;
  }
  const std::string deep(100'000, '[');
  EXPECT_FALSE(parse_safetensors_index("{\"a\":" + deep, "i").ok());
}

TEST(SafetensorsWriter, RefusesBlockTypes) {
  TemporaryFolder folder;
  SafetensorsWriter writer;
  writer.add_tensor({"t", Dtype::kQ8_0, {32}});
  const auto written = writer.write(folder / "a.safetensors", nullptr);
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().kind, ErrorKind::kUnsupported);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace ink::testing
