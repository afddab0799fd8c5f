// `inkstone perplexity`: how well a model predicts a text, measured as llama.cpp does so that numbers can be
// compared: the text is cut into chunks of the context size, each chunk stands alone, and the second half of
// each is scored.
#include <cmath>
#include <memory>

#include "cli/commands.h"
#include "cli/conversation.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/perplexity.h"
#include "cli/progress.h"
#include "cli/prompt_text.h"
#include "runtime/divergence.h"

namespace ink::cli {
namespace {

constexpr int64_t kMeasuredContext = 512;

struct PerplexityFlags {
  ModelFlags model;
  std::optional<std::string> file;
  std::optional<int64_t> chunks;
  bool json = false;
};

// Scores the second half of one chunk.
Status score_chunk(LoadedModel& model, int sequence, std::span<const int32_t> chunk, Perplexity& perplexity) {
  Scheduler& scheduler = *model.scheduler;
  scheduler.truncate(sequence, 0);
  const size_t first = chunk.size() / 2;
  if (first > 0) {
    const Feed before{sequence, chunk.subspan(0, first), false};
    const Status fed =
        scheduler.forward(std::span(&before, 1), [](size_t, int64_t, std::span<float>) { return true; });
    if (!fed.ok()) return fed;
  }
  // The last token of the chunk predicts nothing in it.
  const Feed scored{sequence, chunk.subspan(first, chunk.size() - first - 1), true};
  return scheduler.forward(std::span(&scored, 1), [&](size_t, int64_t token, std::span<float> logits) {
    perplexity.add(negative_log_likelihood(logits, chunk[first + static_cast<size_t>(token) + 1]));
    return !interrupted();
  });
}

int measure(const PerplexityFlags& flags, LoadedModel& model, const std::vector<int32_t>& ids) {
  const int64_t context = model.engine->options().context_tokens;
  const auto size = static_cast<size_t>(std::min<int64_t>(context, static_cast<int64_t>(ids.size())));
  if (size < 4)
    return report({ErrorKind::kInvalid, *flags.file, "at least 4 tokens", std::to_string(ids.size()), ""});
  size_t chunks = ids.size() / size;
  if (flags.chunks) chunks = std::min(chunks, static_cast<size_t>(*flags.chunks));
  model.session.reset();  // its sequence is taken over
  const auto sequence = model.scheduler->open_sequence();
  if (!sequence.ok()) return report(sequence.error());
  Perplexity perplexity;
  Progress progress("scoring");
  const InterruptScope ctrl_c(true);
  for (size_t i = 0; i < chunks && !interrupted(); ++i) {
    progress.update(static_cast<double>(i) / static_cast<double>(chunks));
    const Status scored = score_chunk(model, *sequence, std::span(ids).subspan(i * size, size), perplexity);
    if (!scored.ok()) return report(scored.error());
  }
  progress.clear();
  if (interrupted()) return kInterrupted;
  if (flags.json) {
    output().write_json(Json{{"model", model.name()},
                             {"perplexity", perplexity.value()},
                             {"error", perplexity.error()},
                             {"scored_tokens", perplexity.count()},
                             {"chunks", chunks},
                             {"ctx_size", size}});
    return kOk;
  }
  char text[160];
  std::snprintf(text, sizeof text, "perplexity %.4f +/- %.4f (%lld tokens scored in %zu chunks of %zu)\n",
                perplexity.value(), perplexity.error(), static_cast<long long>(perplexity.count()), chunks,
                size);
  output().write(text);
  return kOk;
}

int perplexity(PerplexityFlags flags) {
  if (!flags.file) flags.file = "-";
  const auto text = *flags.file == "-" ? read_stdin() : read_utf8_file(*flags.file);
  if (!text.ok()) return report(text.error());
  if (text->empty()) return report({ErrorKind::kInvalid, *flags.file, "text", "an empty file", ""});
  if (flags.model.ctx_size.value_or(0) == 0) flags.model.ctx_size = kMeasuredContext;
  auto model = load_model(flags.model, "qwen3");  // no chat is held: any format will do
  if (!model.ok()) return report(model.error());
  return measure(flags, *model, model->tokenizer().encode(*text));
}

}  // namespace

void Perplexity::add(double loss) {
  sum_ += loss;
  sum_of_squares_ += loss * loss;
  ++count_;
}

double Perplexity::value() const { return std::exp(sum_ / static_cast<double>(count_)); }

double Perplexity::error() const {
  const auto n = static_cast<double>(count_);
  const double mean = sum_ / n;
  const double variance = sum_of_squares_ / n - mean * mean;
  return count_ > 1 && variance > 0 ? std::sqrt(variance / (n - 1)) * value() : 0;
}

void add_perplexity_command(CLI::App& program, Action& action) {
  Command command(program, "perplexity", "Measure how well a model predicts a text");
  auto flags = std::make_shared<PerplexityFlags>();
  command.text("-f,--file", flags->file, "The text; none or - reads stdin", "FILE");
  add_engine_flags(command, flags->model);
  command.describe("--ctx-size", "Tokens in a chunk (512)");
  command.integer("--chunks", flags->chunks, 1, INT32_MAX, "Score only the first N chunks");
  command.toggle("--json", flags->json, "Print a JSON object");
  command.runs(action, [flags] { return perplexity(*flags); });
}

}  // namespace ink::cli
