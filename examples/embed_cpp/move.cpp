// The policy of a Connect Four agent in C++17, with ONNX Runtime's C API and nothing else.
//
//   g++ -std=c++17 -O2 move.cpp -I$ORT/include -L$ORT/lib -lonnxruntime -Wl,-rpath,$ORT/lib -o move
//   ./move ../../models/zoo/connect4.onnx ../connect4_positions.txt
//
// $ORT is an unpacked release of ONNX Runtime. A position is the columns played so far, such as "ddc", or "-" for
// the empty board. Prints each with the policy's move. Planes and rule features are those of docs/onnx.md.

#include <onnxruntime_c_api.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace {

constexpr int ROWS = 6, COLUMNS = 7, CELLS = ROWS * COLUMNS;
constexpr int PLANES = 7, ON_BOARD = 0, OWN = 1, OPPONENT = 2, LEGAL_CELL = 3;  // the others stay empty
constexpr int FEATURES = 73, SECOND_COLOUR = 19, PLY = 20;
constexpr int EMPTY = -1, FULL = -1;

const OrtApi& ort = *OrtGetApiBase()->GetApi(ORT_API_VERSION);

void check(OrtStatus* status) {
    if (status == nullptr) return;
    std::cerr << "error: " << ort.GetErrorMessage(status) << '\n';
    std::exit(2);
}

// Which player owns each cell, row 0 at the top.
using Board = std::array<int, CELLS>;

// The lowest empty cell of a column, or FULL.
int landing(const Board& owner, int column) {
    for (int cell = (ROWS - 1) * COLUMNS + column; cell >= 0; cell -= COLUMNS)
        if (owner[cell] == EMPTY) return cell;
    return FULL;
}

Board play(const std::string& moves) {
    Board owner;
    owner.fill(EMPTY);
    for (std::size_t ply = 0; ply < moves.size(); ++ply) owner[landing(owner, moves[ply] - 'a')] = ply % 2;
    return owner;
}

std::array<float, PLANES * CELLS> planes_of(const Board& owner, int to_play) {
    std::array<float, PLANES * CELLS> planes{};
    for (int cell = 0; cell < CELLS; ++cell) {
        planes[ON_BOARD * CELLS + cell] = 1;
        if (owner[cell] == to_play) planes[OWN * CELLS + cell] = 1;
        if (owner[cell] == 1 - to_play) planes[OPPONENT * CELLS + cell] = 1;
    }
    for (int column = 0; column < COLUMNS; ++column)
        if (int cell = landing(owner, column); cell != FULL) planes[LEGAL_CELL * CELLS + cell] = 1;
    return planes;
}

// Features that aren't zero in Connect Four, by their place in the list of docs/onnx.md.
std::array<float, FEATURES> rules_of(int ply) {
    std::array<float, FEATURES> rules{};
    rules[0] = ROWS / 19.0f;
    rules[1] = COLUMNS / 19.0f;
    rules[4] = 1;          // gravity_down
    rules[8] = 4 / 6.0f;   // line_length
    rules[11] = 1 / 4.0f;  // stones_per_turn
    rules[12] = 1 / 4.0f;  // first_turn_stones
    rules[17] = 1 / 4.0f;  // stones_left in this turn
    rules[SECOND_COLOUR] = ply % 2;
    rules[PLY] = ply / static_cast<float>(CELLS);  // over the longest game
    return rules;
}

template <std::size_t N, std::size_t D>
OrtValue* tensor(const OrtMemoryInfo* memory, std::array<float, N>& data, const std::array<int64_t, D>& shape) {
    OrtValue* value = nullptr;
    check(ort.CreateTensorWithDataAsOrtValue(memory, data.data(), N * sizeof(float), shape.data(), D,
                                             ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &value));
    return value;
}

// The column that the policy likes best among those that aren't full.
int best_column(OrtSession* session, const OrtMemoryInfo* memory, const std::string& moves) {
    const Board owner = play(moves);
    const int ply = static_cast<int>(moves.size());
    auto planes = planes_of(owner, ply % 2);
    auto rules = rules_of(ply);
    const std::array<const char*, 2> names{"planes", "rules"};
    const std::array<OrtValue*, 2> inputs{
        tensor<PLANES * CELLS, 4>(memory, planes, {1, PLANES, ROWS, COLUMNS}),
        tensor<FEATURES, 2>(memory, rules, {1, FEATURES}),
    };
    const char* wanted = "logits";
    OrtValue* output = nullptr;
    check(ort.Run(session, nullptr, names.data(), inputs.data(), inputs.size(), &wanted, 1, &output));
    float* logits = nullptr;
    check(ort.GetTensorMutableData(output, reinterpret_cast<void**>(&logits)));
    int best = FULL;
    for (int column = 0; column < COLUMNS; ++column) {
        const int cell = landing(owner, column);
        if (cell != FULL && (best == FULL || logits[cell] > logits[best])) best = cell;
    }
    ort.ReleaseValue(output);
    for (OrtValue* input : inputs) ort.ReleaseValue(input);
    return best % COLUMNS;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) {
        std::cerr << "usage: move AGENT.onnx POSITIONS.txt\n";
        return 2;
    }
    OrtEnv* env = nullptr;
    OrtSessionOptions* options = nullptr;
    OrtSession* session = nullptr;
    OrtMemoryInfo* memory = nullptr;
    check(ort.CreateEnv(ORT_LOGGING_LEVEL_ERROR, "move", &env));
    check(ort.CreateSessionOptions(&options));
    check(ort.CreateSession(env, arguments[1], options, &session));
    check(ort.CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));
    std::ifstream positions(arguments[2]);
    for (std::string moves; positions >> moves;) {
        const std::string played = moves == "-" ? "" : moves;
        std::cout << moves << ' ' << static_cast<char>('a' + best_column(session, memory, played)) << '\n';
    }
    ort.ReleaseMemoryInfo(memory);
    ort.ReleaseSession(session);
    ort.ReleaseSessionOptions(options);
    ort.ReleaseEnv(env);
}
