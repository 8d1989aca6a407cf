"""What Python's libraries make of a folder that SavePretrained wrote: embed.py FOLDER TEXTS writes the embeddings of the texts, through
transformers with the mean over the tokens and through sentence-transformers, to the file that PEER_OUT names."""
import json, os, sys


def with_transformers(folder, texts):
    import torch
    from transformers import AutoModel, AutoTokenizer
    tokens = AutoTokenizer.from_pretrained(folder)(texts, padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        states = AutoModel.from_pretrained(folder).eval()(**tokens).last_hidden_state
    mask = tokens["attention_mask"].unsqueeze(-1)
    return ((states * mask).sum(1) / mask.sum(1)).tolist()


def with_sentence_transformers(folder, texts):
    from sentence_transformers import SentenceTransformer
    return SentenceTransformer(folder, device="cpu").encode(texts).tolist()


texts, result = json.load(open(sys.argv[2])), {"errors": {}}
for library, embed in (("transformers", with_transformers), ("sentence-transformers", with_sentence_transformers)):
    try:
        result[library] = embed(sys.argv[1], texts)
    except Exception as error:
        result["errors"][library] = f"{type(error).__name__}: {error}"
json.dump(result, open(os.environ["PEER_OUT"], "w"))
