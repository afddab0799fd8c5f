// Checkpoint: every golden file opens and its values agree with each other; split and sharded files, folders,
// and what is said when a part is missing or does not belong.
#include "tensor/checkpoint.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "base/half.h"
#include "tests/golden_folder.h"
#include "tests/tensor/checkpoint_samples.h"

namespace ink::testing {
namespace {

namespace fs = std::filesystem;

template <typename T>
T at(const FileTensor& tensor, int64_t index) {
  T value{};
  const size_t offset = static_cast<size_t>(index) * sizeof(T);
  EXPECT_LE(offset + sizeof(T), tensor.bytes.size());
  std::memcpy(&value, tensor.bytes.data() + offset, sizeof(T));
  return value;
}

float plain_value(const FileTensor& tensor, int64_t index) {
  switch (tensor.dtype) {
    case Dtype::kF32:
      return at<float>(tensor, index);
    case Dtype::kF16:
      return f16_to_f32(at<uint16_t>(tensor, index));
    case Dtype::kBF16:
      return bf16_to_f32(at<uint16_t>(tensor, index));
    default:
      ADD_FAILURE() << tensor.name << " is not plain";
      return 0;
  }
}

Error refused(const fs::path& path) {
  const auto checkpoint = Checkpoint::open(path);
  EXPECT_FALSE(checkpoint.ok()) << path;
  return checkpoint.ok() ? Error{} : checkpoint.error();
}

void expect_refused(const fs::path& path, ErrorKind kind, const std::string& said) {
  const Error error = refused(path);
  EXPECT_EQ(error.kind, kind) << error.message();
  EXPECT_NE(error.message().find(said), std::string::npos) << error.message() << "\nwithout: " << said;
}

TEST(CheckpointGolden, EveryFileOpens) {
  int opened = 0;
  for (const fs::path& folder : golden_folders()) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".gguf" && extension != ".safetensors") continue;
      const auto checkpoint = Checkpoint::open(entry.path());
      ASSERT_TRUE(checkpoint.ok()) << checkpoint.error().message();
      EXPECT_FALSE(checkpoint->tensors().empty());
      EXPECT_EQ(checkpoint->size_bytes(), entry.file_size());
      for (const FileTensor& tensor : checkpoint->tensors()) {
        EXPECT_EQ(checkpoint->find(tensor.name), &tensor);
      }
      ++opened;
    }
  }
  EXPECT_GT(opened, 0) << "no golden weight files";
}

// The reference recorded the embeddings of the prompt as hidden_states.0: they are rows of the checkpoint.
TEST(CheckpointGolden, EmbeddingRowsAreTheReferencesHiddenStates) {
  int compared = 0;
  for (const fs::path& models : require_golden_paths("models")) {
    for (const auto& entry : fs::directory_iterator(models)) {
      const auto model = Checkpoint::open(entry.path());
      const auto golden = Checkpoint::open(entry.path() / "golden.safetensors");
      ASSERT_TRUE(model.ok()) << model.error().message();
      ASSERT_TRUE(golden.ok()) << golden.error().message();
      const FileTensor* table = model->find("model.embed_tokens.weight");
      const FileTensor* ids = golden->find("input_ids");
      const FileTensor* states = golden->find("hidden_states.0");
      if (table == nullptr || ids == nullptr || states == nullptr) continue;
      const int64_t hidden = table->shape[1];
      ASSERT_EQ(states->shape, (std::vector<int64_t>{ids->shape[0], hidden}));
      for (int64_t i = 0; i < states->elements(); ++i) {
        const int64_t row = at<int32_t>(*ids, i / hidden);
        ASSERT_EQ(at<float>(*states, i), plain_value(*table, row * hidden + i % hidden)) << entry.path();
      }
      const auto config = model->read_json("config.json");
      ASSERT_TRUE(config.ok());
      EXPECT_EQ(config->at("hidden_size").get<int64_t>(), hidden);
      EXPECT_EQ(config->at("vocab_size").get<int64_t>(), table->shape[0]);
      ++compared;
    }
  }
  EXPECT_TRUE(IsSkipped() || compared > 0);
}

TEST(CheckpointGolden, GgufMetadataDescribesItsTensors) {
  for (const fs::path& folder : require_golden_paths("gguf_models")) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() != ".gguf") continue;
      const auto file = Checkpoint::open(entry.path());
      ASSERT_TRUE(file.ok()) << file.error().message();
      const std::string architecture(file->meta_string("general.architecture").value_or(""));
      EXPECT_TRUE(architecture == "qwen3" || architecture == "qwen3moe") << architecture;
      const FileTensor* table = file->find("token_embd.weight");
      ASSERT_NE(table, nullptr);
      EXPECT_EQ(file->meta_int(architecture + ".embedding_length"), table->shape[1]);
      EXPECT_FLOAT_EQ(static_cast<float>(
                          file->meta_float(architecture + ".attention.layer_norm_rms_epsilon").value_or(0)),
                      1e-6f);
      const MetaArray* tokens = file->meta_array("tokenizer.ggml.tokens");
      ASSERT_NE(tokens, nullptr);
      const auto& texts = std::get<std::vector<std::string_view>>(*tokens);
      EXPECT_EQ(static_cast<int64_t>(texts.size()), table->shape[0]);
      EXPECT_EQ(texts[0], "!");
      EXPECT_EQ(file->meta_bool("tokenizer.ggml.add_bos_token"), false);
      EXPECT_EQ(file->meta_int("general.architecture"), std::nullopt);
      EXPECT_EQ(file->meta_string("no.such.key"), std::nullopt);
    }
  }
}

TEST(Checkpoint, FindsNothingThatIsNotThere) {
  TemporaryFolder folder;
  expect_refused(folder / "none.gguf", ErrorKind::kNotFound, "cannot open");
  expect_refused(folder.path(), ErrorKind::kNotFound, "none of them");
  write_bytes(folder / "notes.txt", "hello");
  expect_refused(folder / "notes.txt", ErrorKind::kUnsupported, "a GGUF or safetensors file");
  write_bytes(folder / "empty.gguf", "");
  expect_refused(folder / "empty.gguf", ErrorKind::kInvalid, "the magic");
  fs::create_directory(folder / "d.safetensors");
  write_bytes(folder / "blob", "GGUF");
  expect_refused(folder / "blob", ErrorKind::kInvalid, "the version");  // known by its magic
}

TEST(Checkpoint, ChoosesTheFileOfAFolder) {
  TemporaryFolder folder;
  write_sample_gguf(folder / "a.gguf", sample_tensors());
  auto checkpoint = Checkpoint::open(folder.path());
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.error().message();
  EXPECT_EQ(checkpoint->format(), CheckpointFormat::kGguf);
  EXPECT_EQ(checkpoint->folder(), folder.path());
  write_sample_gguf(folder / "b.gguf", sample_tensors());
  expect_refused(folder.path(), ErrorKind::kInvalid, "2 of them, such as a.gguf and b.gguf");
  write_sample_safetensors(folder / "model.safetensors", {{"t", Dtype::kF32, {4}}});
  checkpoint = Checkpoint::open(folder.path() / "");
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.error().message();
  EXPECT_EQ(checkpoint->format(), CheckpointFormat::kSafetensors);
  EXPECT_EQ(checkpoint->name(), folder.path().filename().string());
}

TEST(Checkpoint, ReadsTheFilesBesideTheWeights) {
  TemporaryFolder folder;
  write_sample_safetensors(folder / "w.safetensors", {{"t", Dtype::kF32, {4}}});
  write_bytes(folder / "config.json", R"({"hidden_size": 4})");
  write_bytes(folder / "bad.json", "{");
  const auto checkpoint = Checkpoint::open(folder / "w.safetensors");
  ASSERT_TRUE(checkpoint.ok());
  EXPECT_EQ(checkpoint->read_json("config.json").value()["hidden_size"], 4);
  EXPECT_EQ(checkpoint->read_text("config.json").value(), R"({"hidden_size": 4})");
  EXPECT_EQ(checkpoint->read_json("none.json").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(checkpoint->read_json("bad.json").error().kind, ErrorKind::kInvalid);
}

TEST(Checkpoint, MovesWithItsIndex) {
  TemporaryFolder folder;
  write_sample_gguf(folder / "a.gguf", sample_tensors(), sample_metadata());
  auto opened = Checkpoint::open(folder / "a.gguf");
  ASSERT_TRUE(opened.ok());
  const Checkpoint moved = std::move(*opened);
  for (const FileTensor& tensor : moved.tensors()) EXPECT_EQ(moved.find(tensor.name), &tensor);
  EXPECT_EQ(moved.meta_string("general.architecture"), "qwen3");
  moved.drop_pages();
  EXPECT_EQ(moved.tensors()[0].bytes[1], sample_byte(0, 1));  // the pages come back
}

TEST(Checkpoint, OpensBytesInMemory) {
  TemporaryFolder folder;
  write_sample_gguf(folder / "a.gguf", sample_tensors(), sample_metadata());
  const std::string bytes = read_bytes(folder / "a.gguf");
  const auto checkpoint = Checkpoint::from_gguf_bytes(bytes_of(bytes), "embedded");
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.error().message();
  EXPECT_EQ(checkpoint->size_bytes(), bytes.size());
  EXPECT_EQ(checkpoint->read_json("config.json").error().kind, ErrorKind::kNotFound);
  checkpoint->drop_pages();
}

TEST(Checkpoint, RefusesATensorNamedTwice) {
  TemporaryFolder folder;
  write_sample_gguf(folder / "a.gguf", {{"t", Dtype::kF32, {8}}, {"t", Dtype::kF32, {8}}});
  expect_refused(folder / "a.gguf", ErrorKind::kInvalid, "a.gguf: tensor t: expected each tensor name once");
}

// Writes part `number` of `count` with one tensor of the given name.
void write_part(const fs::path& path, uint16_t number, uint16_t count, const std::string& tensor,
                int32_t total) {
  GgufWriter writer;
  if (number == 0) writer.add_string("general.architecture", "qwen3");
  writer.add_number("split.no", number);
  writer.add_number("split.count", count);
  writer.add_number("split.tensors.count", total);
  write_sample_gguf(path, {{tensor, Dtype::kF32, {8}}}, writer);
}

TEST(SplitGguf, AnyPartOpensTheWhole) {
  TemporaryFolder folder;
  for (uint16_t i = 0; i < 3; ++i) {
    write_part(folder / ("m-0000" + std::to_string(i + 1) + "-of-00003.gguf"), i, 3, "t" + std::to_string(i),
               3);
  }
  for (const char* name : {"m-00001-of-00003.gguf", "m-00003-of-00003.gguf", ""}) {
    const auto checkpoint = Checkpoint::open(folder / name);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.error().message();
    EXPECT_EQ(checkpoint->tensors().size(), 3u);
    EXPECT_EQ(checkpoint->tensors()[2].name, "t2");
    EXPECT_EQ(checkpoint->tensors()[2].bytes[5], sample_byte(0, 5));
    EXPECT_EQ(checkpoint->meta_string("general.architecture"), "qwen3");
    EXPECT_EQ(checkpoint->size_bytes(), fs::file_size(folder / "m-00001-of-00003.gguf") +
                                            fs::file_size(folder / "m-00002-of-00003.gguf") * 2);
  }
  const std::string part = read_bytes(folder / "m-00002-of-00003.gguf");
  EXPECT_EQ(Checkpoint::from_gguf_bytes(bytes_of(part), "x").error().kind, ErrorKind::kUnsupported);

  fs::remove(folder / "m-00002-of-00003.gguf");
  expect_refused(folder / "m-00001-of-00003.gguf", ErrorKind::kNotFound, "m-00002-of-00003.gguf");
  expect_refused(folder / "m-00001-of-00003.gguf", ErrorKind::kNotFound, "part 2 of 3");
}

TEST(SplitGguf, RefusesPartsThatDoNotBelongTogether) {
  TemporaryFolder folder;
  const fs::path first = folder / "m-00001-of-00002.gguf";
  const fs::path second = folder / "m-00002-of-00002.gguf";
  write_part(first, 0, 2, "a", 2);
  write_part(second, 0, 2, "b", 2);
  expect_refused(first, ErrorKind::kInvalid, "expected split.no 1 and split.count 2, got 0 and 2");
  write_part(second, 1, 2, "a", 2);
  expect_refused(first, ErrorKind::kInvalid, "tensor a: expected each tensor name once");
  write_part(first, 0, 2, "b", 5);
  expect_refused(first, ErrorKind::kInvalid, "expected 5 tensors in all parts, got 2");
  fs::rename(first, folder / "renamed.gguf");
  expect_refused(folder / "renamed.gguf", ErrorKind::kInvalid, "a name like model-00001-of-00002.gguf");
}

TEST(ShardedSafetensors, JoinsWhatTheIndexNames) {
  TemporaryFolder folder;
  write_sample_safetensors(folder / "m-1.safetensors", {{"a", Dtype::kF32, {4}}, {"b", Dtype::kBF16, {2}}});
  write_sample_safetensors(folder / "m-2.safetensors", {{"c", Dtype::kF16, {2, 2}}});
  const fs::path index = folder / "model.safetensors.index.json";
  const auto write_index = [&](const std::string& map) {
    write_bytes(index, R"({"metadata":{"total_size":28},"weight_map":{)" + map + "}}");
  };
  write_index(R"("a":"m-1.safetensors","b":"m-1.safetensors","c":"m-2.safetensors")");
  for (const fs::path& path : {index, folder.path()}) {
    const auto checkpoint = Checkpoint::open(path);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.error().message();
    ASSERT_NE(checkpoint->find("c"), nullptr);
    EXPECT_EQ(checkpoint->find("c")->shape, (std::vector<int64_t>{2, 2}));
    EXPECT_EQ(checkpoint->tensors().size(), 3u);
    EXPECT_EQ(checkpoint->size_bytes(),
              fs::file_size(folder / "m-1.safetensors") + fs::file_size(folder / "m-2.safetensors"));
  }
  write_index(R"("a":"m-1.safetensors","c":"m-1.safetensors")");
  expect_refused(index, ErrorKind::kNotFound, "m-1.safetensors: tensor c");
  write_index(R"("a":"m-3.safetensors")");
  expect_refused(index, ErrorKind::kNotFound, "model.safetensors.index.json names it");
  write_index(R"("a":"../m-1.safetensors")");
  expect_refused(index, ErrorKind::kInvalid, "plain name");
  write_sample_safetensors(folder / "m-2.safetensors", {{"a", Dtype::kF16, {2}}, {"c", Dtype::kF16, {2}}});
  write_index(R"("a":"m-1.safetensors","c":"m-2.safetensors")");
  expect_refused(index, ErrorKind::kInvalid, "tensor a: expected each tensor name once");
}

// A limit on the size of files stands in for a full disk.
TEST(CheckpointOutput, AFullDiskLeavesNothingBehind) {
  TemporaryFolder folder;
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const rlimit small{4096, old_limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::vector<PlannedTensor> tensors = {{"t", Dtype::kF32, {100, 100}}};
  GgufWriter gguf;
  gguf.add_tensor(tensors[0]);
  SafetensorsWriter safetensors;
  safetensors.add_tensor(tensors[0]);
  const auto one = gguf.write(folder / "a.gguf", sample_source(tensors));
  const auto two = safetensors.write(folder / "a.safetensors", sample_source(tensors));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  std::signal(SIGXFSZ, old_handler);
  for (const Status& status : {one, two}) {
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().kind, ErrorKind::kIo);
    EXPECT_NE(status.error().message().find("cannot write"), std::string::npos) << status.error().message();
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(CheckpointOutput, AnErrorOfTheSourceLeavesTheOldFile) {
  TemporaryFolder folder;
  write_bytes(folder / "a.gguf", "old");
  GgufWriter writer;
  writer.add_tensor({"t", Dtype::kF32, {8}});
  const auto written = writer.write(folder / "a.gguf", [](size_t, const TensorSink&) -> Status {
    return Error{ErrorKind::kCancelled, "", "", "stopped", ""};
  });
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(read_bytes(folder / "a.gguf"), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
  EXPECT_EQ(writer.write(folder / "none/a.gguf", nullptr).error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace ink::testing
