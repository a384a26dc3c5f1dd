/// The words nicknames are made of: one for each value of a byte, in rows of 3, 4, 5, 6 and 7 letters. They are
/// a part of the format: with other words one firmware would have two names.
///
/// Threading: constants.
#pragma once

#include <array>
#include <string_view>

namespace sinew::firmware {

// clang-format off
inline constexpr std::array<std::string_view, 256> nickname_words{
    "act", "able", "about", "absent", "abandon",
    "add", "away", "aisle", "advice", "address",
    "aim", "best", "anger", "annual", "analyst",
    "all", "bone", "armor", "assume", "apology",
    "arm", "cake", "beach", "barrel", "average",
    "ask", "chat", "bless", "bitter", "bargain",
    "bar", "club", "brick", "bronze", "blanket",
    "bid", "corn", "cabin", "camera", "capital",
    "boy", "dash", "chalk", "casual", "certain",
    "can", "dice", "civil", "cherry", "coconut",
    "cat", "drip", "cloud", "column", "conduct",
    "cup", "east", "craft", "credit", "crucial",
    "day", "fall", "curve", "debris", "cushion",
    "dry", "fine", "dream", "depend", "despair",
    "egg", "foil", "earth", "dinner", "dilemma",
    "era", "gain", "entry", "dragon", "dynamic",
    "fan", "glad", "exist", "energy", "emotion",
    "few", "grit", "field", "estate", "essence",
    "fix", "head", "focus", "expire", "exhibit",
    "fog", "hood", "gauge", "finger", "fatigue",
    "fox", "idea", "glove", "fossil", "forward",
    "gap", "jump", "grunt", "garlic", "genuine",
    "hat", "kiwi", "hello", "guitar", "gravity",
    "hip", "lazy", "inner", "horror", "illness",
    "ice", "link", "labor", "indoor", "initial",
    "job", "loop", "light", "invest", "jealous",
    "key", "math", "maple", "laptop", "lecture",
    "kid", "mind", "mimic", "lonely", "lottery",
    "lab", "name", "nasty", "margin", "mention",
    "mad", "nose", "offer", "middle", "monitor",
    "mix", "open", "owner", "motion", "network",
    "net", "pass", "piano", "nephew", "observe",
    "nut", "plug", "power", "online", "ostrich",
    "oak", "pulp", "purse", "palace", "peasant",
    "oil", "ramp", "ready", "phrase", "popular",
    "one", "ring", "round", "praise", "present",
    "pen", "safe", "scrap", "reason", "program",
    "pig", "seed", "shock", "relief", "pudding",
    "raw", "sign", "skill", "resist", "raccoon",
    "rug", "slot", "snack", "ripple", "release",
    "run", "soon", "spawn", "salute", "satisfy",
    "say", "step", "spray", "select", "session",
    "shy", "tape", "still", "silver", "slender",
    "spy", "text", "super", "sphere", "stomach",
    "tag", "tiny", "table", "street", "supreme",
    "tip", "trip", "tired", "symbol", "thunder",
    "toe", "undo", "trade", "ticket", "trigger",
    "toy", "visa", "truth", "travel", "uncover",
    "two", "wasp", "vague", "unfold", "utility",
    "van", "wild", "vivid", "valley", "vibrant",
    "web", "yard", "zebra", "voyage", "weather",
    "zoo",
};
// clang-format on

} // namespace sinew::firmware
