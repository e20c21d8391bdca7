// The words that the page explains, for <Term>. Plain sentences; no word of the trade in them that is not explained too.
export const TERMS = {
  tumor: "A growth of cells that should not be there. The model knows three kinds by their looks: glioma, meningioma, pituitary.",
  glioma: "A tumor that grows from the supporting cells of the brain itself, often without a sharp edge.",
  meningioma: "A tumor of the skin around the brain. Often round, and at the edge of the brain or between its halves.",
  pituitary: "A tumor of the pituitary gland, in the middle of the skull base behind the nose.",
  notumor: "The model's class for slices in which nobody saw a tumor.",
  slice: "One flat picture of a scan. A file may hold one or many.",
  "probability of a tumor": "The model's probabilities of all kinds of tumor together. Where it says 90% on pictures like those " +
    "it was tested on, about 90 of 100 did show a tumor.",
  certainty: "How far a stated probability can be taken at its word. It is measured on test pictures: of all slices that were " +
    "given about 90%, about 90 in 100 should show a tumor. It holds only for pictures like those.",
  "calibration error": "The mean gap between a stated probability and how often it came true on test pictures. 0% is perfect.",
  "prediction set": "The answers that cannot be ruled out. It is made so that it holds the right one for the stated share of " +
    "slices like those the limits were fitted on. One answer means sure, several mean not sure which.",
  threshold: "A limit that was chosen on pictures set aside for it, never on the test pictures.",
  heatmap: "Warm where the network found what spoke for the class it names. It shows where the network looked, not where the " +
    "tumor ends, and looking in the right place does not make an answer right.",
  outline: "The line around the part of the heatmap that is at least half as strong as its peak. It is not a segmentation: the " +
    "edge of a tumor may lie elsewhere.",
  window: "Which gray values are spread from black to white. A narrow window shows small differences.",
  level: "The gray value in the middle of the window: lower makes the picture brighter.",
  "too close to call": "The probability of a tumor lies so near the middle that the model would be wrong too often either way, " +
    "so it abstains.",
  refused: "The picture is so unlike what the model was trained on that its answer should not be used.",
  accuracy: "The share of slices whose answer is right.",
  auc: "The chance that a slice with a tumor gets a higher probability than one without. 0.5 is guessing, 1 is perfect.",
  sensitivity: "The share of the tumor slices that are called a tumor.",
  specificity: "The share of the tumor-free slices that are called tumor-free.",
  sensitivity_at_95_specificity: "The share of the tumor slices that are called a tumor, at the limit that lets 5 of 100 tumor-free " +
    "slices through.",
  ece: "Calibration error: the mean gap between a stated probability and how often it came true. 0% is perfect.",
  pointing: "How often the strongest spot of the heatmap lies inside the outline that an expert drew.",
  "95% interval": "Where the true figure lies with 95% confidence, given how many patients or pictures were measured.",
  n: "How many slices the figure was measured on.",
  fingerprint: "A short code computed from the file's bytes: the same code means the same file.",
};
