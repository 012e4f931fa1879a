"""Which pretrained model, adapted how, will do best on my data, and how sure can I be?"""
