// `inkstone compare`: what a smaller file costs. Two models read the same tokens side by side, as
// `perplexity` has them: chunks that stand alone, the second half of each scored. Both are open at once, and
// only the logits of one piece of a chunk are held, so nothing is spooled to a disk.
#include <algorithm>
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

constexpr int64_t kDefaultContext = 512;
constexpr size_t kPieceTokens = 64;  // 39 MB of logits for Qwen's vocabulary

struct CompareFlags {
  std::optional<std::string> reference_cache_type;
  ModelFlags model;
  std::optional<std::string> reference;
  std::optional<std::string> other;
  std::optional<std::string> file;
  std::optional<int64_t> chunks;
  bool special = false;
  bool json = false;
};

// One of the two models with its sequence.
struct Reader {
  LoadedModel model;
  int sequence = 0;

  Status open(const CompareFlags& flags, const std::string& name) {
    ModelFlags its_flags = flags.model;
    its_flags.model = name;
    auto loaded = load_model(its_flags, "qwen3");  // no chat is held: any format will do
    if (!loaded.ok()) return loaded.error();
    model = std::move(*loaded);
    model.session.reset();  // its sequence is taken over
    const auto opened = model.scheduler->open_sequence();
    if (!opened.ok()) return opened.error();
    sequence = *opened;
    return Done{};
  }
  int64_t vocab_size() const { return model.engine->config().vocab_size; }

  // Feeds the ids; with `logits`, keeps those after every token: [ids, vocab].
  Status read(std::span<const int32_t> ids, std::vector<float>* logits) {
    if (ids.empty()) return Done{};
    if (logits != nullptr) logits->clear();
    const Feed feed{sequence, ids, logits != nullptr};
    return model.scheduler->forward(std::span(&feed, 1), [&](size_t, int64_t, std::span<float> row) {
      if (logits != nullptr) logits->insert(logits->end(), row.begin(), row.end());
      return true;
    });
  }
};

class Comparison {
 public:
  Comparison(Reader& reference, Reader& other) : reference_(reference), other_(other) {}

  // Scores the second half of one chunk.
  Status add_chunk(std::span<const int32_t> chunk) {
    const size_t half = chunk.size() / 2;
    for (Reader* reader : {&reference_, &other_}) {
      reader->model.scheduler->truncate(reader->sequence, 0);
      const Status read = reader->read(chunk.subspan(0, half), nullptr);
      if (!read.ok()) return read;
    }
    // The last token of the chunk predicts nothing in it.
    for (size_t first = half; first + 1 < chunk.size() && !interrupted(); first += kPieceTokens) {
      const size_t count = std::min(kPieceTokens, chunk.size() - 1 - first);
      Status read = reference_.read(chunk.subspan(first, count), &reference_logits_);
      if (read.ok()) read = other_.read(chunk.subspan(first, count), &logits_);
      if (!read.ok()) return read;
      score(chunk.subspan(first + 1, count));
    }
    return Done{};
  }

  const std::vector<TokenDivergence>& tokens() const { return tokens_; }

 private:
  // `next`: the token that came after each row of logits.
  void score(std::span<const int32_t> next) {
    const auto vocab = static_cast<size_t>(other_.vocab_size());
    const size_t before = tokens_.size();
    tokens_.resize(before + next.size());
    other_.model.engine->threads().parallel_for(
        static_cast<int64_t>(next.size()), 1, [&](int64_t begin, int64_t end, int) {
          for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
            tokens_[before + i] = compare_predictions(std::span(reference_logits_).subspan(i * vocab, vocab),
                                                      std::span(logits_).subspan(i * vocab, vocab), next[i]);
          }
        });
  }

  Reader& reference_;
  Reader& other_;
  std::vector<float> reference_logits_;
  std::vector<float> logits_;
  std::vector<TokenDivergence> tokens_;
};

Status check_alike(const Reader& reference, const Reader& other, const std::vector<int32_t>& ids,
                   const std::vector<TextSegment>& text) {
  const auto refuse = [&](const std::string& wanted, const std::string& got) {
    return Error{ErrorKind::kInvalid, other.model.name(), wanted, got, ""};
  };
  if (reference.vocab_size() != other.vocab_size())
    return refuse("the vocabulary of " + reference.model.name() + ", " +
                      std::to_string(reference.vocab_size()) + " tokens",
                  std::to_string(other.vocab_size()));
  if (other.model.tokenizer().encode(text) != ids)
    return refuse("the tokenizer of " + reference.model.name(), "one that cuts this text differently");
  return Done{};
}

void print_comparison(const Reader& reference, const Reader& other, const DivergenceSummary& summary,
                      const Perplexity& before, const Perplexity& after, bool json) {
  if (json) {
    output().write_json(Json{{"reference", reference.model.name()},
                             {"model", other.model.name()},
                             {"tokens", summary.tokens},
                             {"kl_divergence",
                              {{"mean", summary.mean},
                               {"error", summary.mean_error},
                               {"median", summary.median},
                               {"p99", summary.percentile_99},
                               {"max", summary.max}}},
                             {"same_top", summary.same_top},
                             {"reference_perplexity", before.value()},
                             {"perplexity", after.value()}});
    return;
  }
  char text[400];
  std::snprintf(text, sizeof text,
                "KL divergence   mean %.6f +/- %.6f   median %.6f   99 %% %.6f   max %.6f\n"
                "same top token  %.2f %%\n"
                "perplexity      %.4f (reference %.4f)\n"
                "tokens scored   %lld\n",
                summary.mean, summary.mean_error, summary.median, summary.percentile_99, summary.max,
                100 * summary.same_top, after.value(), before.value(),
                static_cast<long long>(summary.tokens));
  output().write(text);
}

int compare(CompareFlags flags) {
  if (!flags.file) flags.file = "-";
  const auto text = *flags.file == "-" ? read_stdin() : read_utf8_file(*flags.file);
  if (!text.ok()) return report(text.error());
  if (flags.model.ctx_size.value_or(0) == 0) flags.model.ctx_size = kDefaultContext;
  Reader reference, other;
  CompareFlags reference_flags = flags;
  if (flags.reference_cache_type) reference_flags.model.cache_type = flags.reference_cache_type;
  Status opened = reference.open(reference_flags, *flags.reference);
  if (opened.ok()) opened = other.open(flags, *flags.other);
  if (!opened.ok()) return report(opened.error());
  const std::vector<TextSegment> segments = {{*text, flags.special}};
  const std::vector<int32_t> ids = reference.model.tokenizer().encode(segments);
  const Status alike = check_alike(reference, other, ids, segments);
  if (!alike.ok()) return report(alike.error());
  const size_t size = std::min(static_cast<size_t>(*flags.model.ctx_size), ids.size());
  if (size < 4)
    return report({ErrorKind::kInvalid, *flags.file, "at least 4 tokens", std::to_string(ids.size()), ""});
  size_t chunks = ids.size() / size;
  if (flags.chunks) chunks = std::min(chunks, static_cast<size_t>(*flags.chunks));
  Comparison comparison(reference, other);
  Progress progress("comparing");
  const InterruptScope ctrl_c(true);
  for (size_t i = 0; i < chunks && !interrupted(); ++i) {
    progress.update(static_cast<double>(i) / static_cast<double>(chunks));
    const Status added = comparison.add_chunk(std::span(ids).subspan(i * size, size));
    if (!added.ok()) return report(added.error());
  }
  progress.clear();
  if (interrupted()) return kInterrupted;
  Perplexity before, after;
  for (const TokenDivergence& token : comparison.tokens()) {
    before.add(token.reference_loss);
    after.add(token.loss);
  }
  print_comparison(reference, other, summarize_divergence(comparison.tokens()), before, after, flags.json);
  return kOk;
}

}  // namespace

void add_compare_command(CLI::App& program, Action& action) {
  Command command(program, "compare", "Measure how far a model's predictions are from another's on a text");
  auto flags = std::make_shared<CompareFlags>();
  Command::require(command.text("REFERENCE", flags->reference, "The model to measure against, as for -m"));
  Command::require(command.text("MODEL", flags->other, "The model to measure"));
  command.text("-f,--file", flags->file, "The text; none or - reads stdin", "FILE");
  add_run_flags(command, flags->model);
  command.describe("--ctx-size", "Tokens in a chunk (512)");
  command.choice("--reference-cache-type", flags->reference_cache_type, cache_type_names(),
                 "Keys and values of REFERENCE, where they are to differ from --cache-type");
  command.integer("--chunks", flags->chunks, 1, INT32_MAX, "Compare only the first N chunks");
  command.toggle("--special,--parse-special", flags->special,
                 "Recognise control tokens such as <|im_start|> in the text");
  command.toggle("--json", flags->json, "Print a JSON object");
  command.runs(action, [flags] { return compare(*flags); });
}

}  // namespace ink::cli
