// `inkstone imatrix`: runs a model over a text and writes which columns of its matrices matter, for
// `inkstone quantize --imatrix`. Flags and file are llama.cpp's.
#include <filesystem>
#include <memory>

#include "cli/commands.h"
#include "cli/conversation.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/prompt_text.h"
#include "runtime/importance_collector.h"

namespace ink::cli {
namespace {

constexpr int64_t kSampleContext = 512;

struct ImatrixFlags {
  ModelFlags model;
  std::optional<std::string> file;
  std::optional<std::string> output;
  std::optional<int64_t> chunks;
  bool special = false;
  bool json = false;
};

int imatrix(ImatrixFlags flags) {
  const auto text = *flags.file == "-" ? read_stdin() : read_utf8_file(*flags.file);
  if (!text.ok()) return report(text.error());
  if (flags.model.ctx_size.value_or(0) == 0) flags.model.ctx_size = kSampleContext;
  auto model = load_model(flags.model, "qwen3");  // no chat is held: any format will do
  if (!model.ok()) return report(model.error());
  const std::vector<int32_t> ids = model->tokenizer().encode(std::vector{TextSegment{*text, flags.special}});
  model->session.reset();  // what follows has a cache of its own
  model->scheduler.reset();
  Progress progress("reading");
  const InterruptScope ctrl_c(true);
  CollectOptions options;
  options.chunks = flags.chunks.value_or(0);
  options.dataset = std::filesystem::path(*flags.file).filename().string();
  options.progress = [&](double fraction) {
    progress.update(fraction);
    return !interrupted();
  };
  const auto matrix = collect_importance(model->engine, ids, options);
  progress.clear();
  if (!matrix.ok()) return report(matrix.error());
  const std::string path = flags.output.value_or("imatrix.gguf");
  const Status written = write_importance(path, *matrix);
  if (!written.ok()) return report(written.error());
  if (flags.json) {
    output().write_json(Json{{"output", path},
                             {"matrices", matrix->entries.size()},
                             {"chunks", matrix->chunks},
                             {"chunk_tokens", matrix->chunk_tokens}});
    return kOk;
  }
  output().write("wrote " + path + ": " + std::to_string(matrix->entries.size()) + " matrices, " +
                 std::to_string(matrix->chunks) + " chunks of " + std::to_string(matrix->chunk_tokens) +
                 " tokens\n");
  return kOk;
}

}  // namespace

void add_imatrix_command(CLI::App& program, Action& action) {
  Command command(program, "imatrix", "Find out which weights matter on a text, for quantize --imatrix");
  auto flags = std::make_shared<ImatrixFlags>();
  Command::require(command.text("-f,--file", flags->file, "The text; - reads stdin", "FILE"));
  command.text("-o,--output", flags->output, "The file to write (imatrix.gguf)", "FILE");
  add_engine_flags(command, flags->model);
  command.describe("--ctx-size", "Tokens in a chunk (512)");
  command.integer("--chunks", flags->chunks, 1, INT32_MAX, "Only the first N chunks");
  command.toggle("--special,--parse-special", flags->special,
                 "Recognise control tokens such as <|im_start|> in the text");
  command.toggle("--json", flags->json, "Print a JSON object");
  command.runs(action, [flags] { return imatrix(*flags); });
}

}  // namespace ink::cli
