"""What Python's libraries make of a folder that SavePretrained wrote: embed.py FOLDER TEXTS writes the embeddings of the texts, once through
transformers with the mean over the tokens, once through sentence-transformers, to the file that PEER_OUT names."""
import json, os, sys

folder, texts = sys.argv[1], json.load(open(sys.argv[2]))
result = {}
try:
    import torch
    from transformers import AutoModel, AutoTokenizer
except ImportError as error:
    result["missing"] = str(error)
else:
    tokens = AutoTokenizer.from_pretrained(folder)(texts, padding=True, truncation=True, return_tensors="pt")
    with torch.no_grad():
        states = AutoModel.from_pretrained(folder).eval()(**tokens).last_hidden_state
    mask = tokens["attention_mask"].unsqueeze(-1)
    result["transformers"] = ((states * mask).sum(1) / mask.sum(1)).tolist()
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        result["missing"] = str(error)
    else:
        result["sentence-transformers"] = SentenceTransformer(folder, device="cpu").encode(texts).tolist()
json.dump(result, open(os.environ["PEER_OUT"], "w"))
