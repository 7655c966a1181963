// Sentiment on iOS: ids to probabilities. CocoaPods: pod 'TensorFlowLiteC'. The C interface, because the Swift one has no
// way to reset the state. tokenizer.py, beside the model, says how a text becomes ids.

import Foundation
import TensorFlowLiteC

final class Sentiment {
    private let model: OpaquePointer
    private let interpreter: OpaquePointer
    private let runner: OpaquePointer
    private let labels: [String]
    private var used = false

    init?(path: String, labels: [String]) {
        guard let model = TfLiteModelCreateFromFile(path) else { return nil }
        let options = TfLiteInterpreterOptionsCreate()
        defer { TfLiteInterpreterOptionsDelete(options) }
        TfLiteInterpreterOptionsSetNumThreads(options, 1)
        guard let interpreter = TfLiteInterpreterCreate(model, options) else {
            TfLiteModelDelete(model)
            return nil
        }
        guard let runner = TfLiteInterpreterGetSignatureRunner(interpreter, "classify_ids") else {
            TfLiteInterpreterDelete(interpreter)
            TfLiteModelDelete(model)
            return nil
        }
        (self.model, self.interpreter, self.runner, self.labels) = (model, interpreter, runner, labels)
    }

    deinit {
        TfLiteSignatureRunnerDelete(runner)
        TfLiteInterpreterDelete(interpreter)
        TfLiteModelDelete(model)
    }

    /// The probability of every label; `ids` are a text's, at most max_tokens of them. Not for two threads at once.
    func classify(_ ids: [Int32]) -> [String: Float]? {
        var tokens = ids.isEmpty ? [0] : ids
        var shape: [Int32] = [1, Int32(tokens.count)]
        guard TfLiteSignatureRunnerResizeInputTensor(runner, "ids", &shape, 2) == kTfLiteOk,
              TfLiteSignatureRunnerAllocateTensors(runner) == kTfLiteOk else { return nil }
        // The fused LSTM keeps its state from one call to the next: without this line the second answer is wrong.
        if used, TfLiteInterpreterResetVariableTensors(interpreter) != kTfLiteOk { return nil }
        used = true
        let input = TfLiteSignatureRunnerGetInputTensor(runner, "ids")
        guard TfLiteTensorCopyFromBuffer(input, &tokens, tokens.count * MemoryLayout<Int32>.size) == kTfLiteOk,
              TfLiteSignatureRunnerInvoke(runner) == kTfLiteOk else { return nil }
        var probabilities = [Float](repeating: 0, count: labels.count)
        let output = TfLiteSignatureRunnerGetOutputTensor(runner, "probabilities")
        guard TfLiteTensorCopyToBuffer(output, &probabilities, labels.count * MemoryLayout<Float>.size) == kTfLiteOk
        else { return nil }
        return Dictionary(uniqueKeysWithValues: zip(labels, probabilities))
    }
}
