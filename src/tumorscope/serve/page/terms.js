// The words of the audit page and the evaluation page, for <Word>. Plain sentences, as in words.js.
import { html } from "./dom.js";
import { Term } from "./components.js";

const WORDS = {
  twin: "A copy of a slice. Exact: the same pixels. Near: the same slice resized, saved anew, stretched in contrast, mirrored, " +
    "turned, or cropped a little. Neighboring slices of one patient are not twins.",
  leak: "A test picture that training has seen too, as a copy or as another slice of the same patient. A score on such pictures " +
    "measures memory.",
  group: "Slices that must not stand on two sides of a split: those of one patient, or where patients are unknown, those of one series " +
    "or one set of copies.",
  "copy baseline": "How often one is right by copying the label of the most similar training picture. It understands nothing, so a model " +
    "has to do better.",
  "source probe": "How often one is right from the file alone: size, color mode, border, histogram. Far above the commonest class, the classes " +
    "come from different sources, and a model can learn the source instead of the disease.",
  "commonest class": "How often one is right by always naming the class that occurs most.",
  "95% interval": "Drawing other patients of the same kind would give a figure within it 95 times in 100. Few patients make it wide.",
  similarity: "How alike two pictures are after one was laid over the other: 1 is the same.",
  split: "Which slices a model is trained on, which choose its settings, and which test it.",
  "label conflict": "Two copies of one picture that are filed under different classes: one of the labels is wrong.",
  "leak-free": "Slices of patients, or series, that the model was not fitted to: what to expect of new patients.",
  "twin-free": "Slices without a copy among those the model was fitted to. Other slices of the same patient may still have been seen, which " +
    "flatters.",
  full: "Every slice that was evaluated, as most papers count.",
  headline: "The figures of the strictest set of slices that is large enough.",
  precision: "Of the slices that were called this class, the share that is it.",
  recall: "Of the slices of this class, the share that was called it.",
  F1: "One figure of precision and recall, low where either is low.",
  AUC: "The chance that a slice of the class gets a higher probability of it than another slice. 50% is guessing.",
  accuracy: "The share of slices whose answer is right.",
  balanced_accuracy: "The mean over the classes of the share right, so that a common class weighs like a rare one.",
  sensitivity: "Of the slices with a tumor, the share that is called a tumor.",
  specificity: "Of the tumor-free slices, the share that is called tumor-free.",
  epoch: "One pass of the training over all its slices.",
  loss: "What a training makes small: high where the answers are wrong or unsure.",
  validation: "Slices that were set aside to choose the best epoch and the limits. They are not the test slices.",
  calibration: "Whether a stated 80% is right 80 times in 100.",
  certainty: "The probability that the model gave its own wrong answer.",
  coverage: "The share of slices that are answered, the surest first.",
};

/** A word that is explained on hover, focus and tap; without children the word itself is shown. */
export function Word({ of, children }) {
  return WORDS[of] ? html`<${Term} word=${of} text=${WORDS[of]}>${children ?? of}</${Term}>` : html`<span>${children ?? of}</span>`;
}
