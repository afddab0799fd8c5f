// `inkstone embed` and `inkstone rerank`: texts as vectors, and documents in the order of how well they
// answer a query. Both want a model made for it, so there is no default one.
#include <algorithm>
#include <charconv>
#include <memory>
#include <numeric>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/prompt_text.h"
#include "services/retrieval/retrieval.h"

namespace ink::cli {
namespace {

struct EmbedFlags {
  ModelFlags model;
  std::optional<std::string> text;
  std::optional<std::string> instruction;
  std::optional<int64_t> dimensions;
  bool truncate = false;
  bool json = false;
};

struct RerankFlags {
  ModelFlags model;
  std::optional<std::string> query;
  std::vector<std::string> documents;
  std::optional<std::string> instruction;
  bool truncate = false;
  bool json = false;
};

// The words given, else the lines of stdin.
Result<std::vector<std::string>> texts_given(const std::vector<std::string>& words, const char* name) {
  std::vector<std::string> texts = words;
  if (texts.empty()) {
    const auto input = read_stdin();
    if (!input.ok()) return input.error();
    for (size_t begin = 0; begin < input->size();) {
      const size_t end = std::min(input->find('\n', begin), input->size());
      texts.push_back(input->substr(begin, end - begin));
      begin = end + 1;
    }
  }
  for (const std::string& text : texts) {
    if (const Status valid = check_utf8(name, text); !valid.ok()) return valid.error();
  }
  return texts;
}

Result<std::unique_ptr<ModelLibrary>> library_of(const ModelFlags& flags, const char* wanted) {
  if (!flags.model) return Error{ErrorKind::kInvalid, "--model", wanted, "none", ""};
  LibraryOptions options;
  options.engine = engine_options(flags);
  options.engine.max_sequences = 16;  // half of them are computed together
  constexpr int64_t kCacheTokens = 8192;
  options.engine.cache_tokens = std::max(options.engine.context_tokens, kCacheTokens);
  options.default_model = *flags.model;
  options.budget_bytes = UINT64_MAX;  // one model: the machine's memory is the limit
  auto progress = std::make_shared<Progress>("loading");
  options.progress = [progress](const std::string&, double fraction) {
    progress->update(fraction);
    if (fraction >= 1) progress->clear();
  };
  return std::make_unique<ModelLibrary>(std::move(options));
}

std::string number_text(float value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return std::string(text, end);
}

const std::atomic<bool> kGoesOn = false;

int embed_texts(const EmbedFlags& flags) {
  const auto library = library_of(flags.model, "a model for embeddings, such as Qwen3-Embedding");
  if (!library.ok()) return report(library.error());
  const std::vector<std::string> words(flags.text ? 1 : 0, flags.text.value_or(""));
  const auto texts = texts_given(words, "text");
  if (!texts.ok()) return report(texts.error());
  const auto model = (*library)->acquire("");
  if (!model.ok()) return report(model.error());
  EmbeddingRequest request{{}, flags.instruction.value_or(""), flags.dimensions, flags.truncate};
  request.inputs.assign(texts->begin(), texts->end());
  const auto embeddings = embed(**model, request, kGoesOn);
  if (!embeddings.ok()) return report(embeddings.error());
  if (flags.json) {
    output().write_json(Json{{"model", (*model)->name},
                             {"prompt_tokens", embeddings->prompt_tokens},
                             {"embeddings", embeddings->vectors}});
    return kOk;
  }
  for (const std::vector<float>& vector : embeddings->vectors) {
    std::string line;
    for (const float value : vector) line += (line.empty() ? "" : " ") + number_text(value);
    output().write(line + "\n");
  }
  return kOk;
}

int rerank_documents(const RerankFlags& flags) {
  const auto library = library_of(flags.model, "a model for ranking, such as Qwen3-Reranker");
  if (!library.ok()) return report(library.error());
  const auto documents = texts_given(flags.documents, "document");
  if (!documents.ok()) return report(documents.error());
  if (const Status valid = check_utf8("query", *flags.query); !valid.ok()) return report(valid.error());
  const auto model = (*library)->acquire("");
  if (!model.ok()) return report(model.error());
  const auto ranking =
      rerank(**model, {*flags.query, *documents, flags.instruction.value_or(""), flags.truncate}, kGoesOn);
  if (!ranking.ok()) return report(ranking.error());
  std::vector<size_t> order(documents->size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return ranking->scores[a] > ranking->scores[b]; });
  Json results = Json::array();
  for (const size_t i : order) {
    if (flags.json)
      results.push_back(Json{{"index", i}, {"score", ranking->scores[i]}, {"document", (*documents)[i]}});
    else
      output().write(number_text(ranking->scores[i]) + "\t" + (*documents)[i] + "\n");
  }
  if (flags.json)
    output().write_json(Json{{"model", (*model)->name},
                             {"prompt_tokens", ranking->prompt_tokens},
                             {"results", std::move(results)}});
  return kOk;
}

}  // namespace

void add_embed_command(CLI::App& program, Action& action) {
  Command command(program, "embed", "Print texts as vectors, for search by meaning");
  auto flags = std::make_shared<EmbedFlags>();
  command.text("TEXT", flags->text, "The text; none reads the lines of stdin");
  add_engine_flags(command, flags->model);
  command.text("--instruction", flags->instruction,
               "What the vectors are for, in one sentence: for queries, not for documents");
  command.integer("--dimensions", flags->dimensions, 1, 1 << 20, "Only the first numbers of each vector");
  command.toggle("--truncate", flags->truncate, "Cut texts that are longer than the context");
  command.toggle("--json", flags->json, "Print a JSON object");
  command.runs(action, [flags] { return embed_texts(*flags); });
}

void add_rerank_command(CLI::App& program, Action& action) {
  Command command(program, "rerank", "Order documents by how well they answer a query");
  auto flags = std::make_shared<RerankFlags>();
  Command::require(command.text("QUERY", flags->query, "What is looked for"));
  command.texts("-d,--document", flags->documents, "A document; repeatable. None reads the lines of stdin");
  add_engine_flags(command, flags->model);
  command.text("--instruction", flags->instruction, "What the documents have to meet, in one sentence");
  command.toggle("--truncate", flags->truncate, "Cut documents that are longer than the context");
  command.toggle("--json", flags->json, "Print a JSON object");
  command.runs(action, [flags] { return rerank_documents(*flags); });
}

}  // namespace ink::cli
