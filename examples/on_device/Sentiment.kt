// Sentiment on Android: ids to probabilities. Gradle: implementation("com.google.ai.edge.litert:litert:1.4.0")
// Assets: dynamic.tflite, vocabulary.txt, labels.txt; tokenizer.py, beside them, says how a text becomes ids.

import org.tensorflow.lite.Interpreter
import java.nio.MappedByteBuffer

class Sentiment(model: MappedByteBuffer, private val labels: List<String>) : AutoCloseable {
    // With XNNPACK, texts longer than all before them are now and then answered wrongly: see docs/decisions/074.
    private val interpreter = Interpreter(model, Interpreter.Options().setNumThreads(1).setUseXNNPACK(false))
    private var used = false

    /** The probability of every label; `ids` are a text's, at most max_tokens of them. Not for two threads at once. */
    fun classify(ids: IntArray): Map<String, Float> {
        // The fused LSTM keeps its state from one call to the next: without this line the second answer is wrong.
        if (used) interpreter.resetVariableTensors()
        used = true
        val tokens = if (ids.isEmpty()) intArrayOf(0) else ids
        val probabilities = Array(1) { FloatArray(labels.size) }
        val weights = Array(1) { FloatArray(tokens.size) }
        interpreter.runSignature(
            mapOf("ids" to arrayOf(tokens)),
            mapOf("probabilities" to probabilities, "weights" to weights),
            "classify_ids",
        )
        return labels.zip(probabilities[0].toList()).toMap()
    }

    override fun close() = interpreter.close()
}
